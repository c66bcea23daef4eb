// Older messages, fetched when the reader comes near the top. Its link works without any of this.

const PAGES_MOST = 30;

export class History extends EventTarget {
  #link;
  #api;
  #conversationId;
  #observer;
  #busy = false;

  constructor(link, root, api, conversationId) {
    super();
    this.#link = link;
    this.#api = api;
    this.#conversationId = conversationId;
    link.addEventListener("click", (event) => this.#click(event));
    const near = ([entry]) => entry.isIntersecting && this.#fetch();
    this.#observer = new IntersectionObserver(near, { root, rootMargin: "600px 0px 0px" });
    this.#observer.observe(link);
  }

  #click(event) {
    event.preventDefault();
    this.#fetch();
  }

  /** Fetch as far back as a position; so many pages at most that nobody waits for a minute. */
  async reach(position) {
    for (let pages = 0; pages < PAGES_MOST && position < Number(this.#link.dataset.before); pages++) {
      if (!(await this.#fetch(100))) return;
    }
  }

  /** Fetch a page; tell whether that brought something. */
  async #fetch(limit = 50) {
    if (this.#busy || this.#link.hidden) return false;
    this.#busy = true;
    try {
      const before = this.#link.dataset.before;
      const { data, pagination } = await this.#api.messages(this.#conversationId, { before, limit });
      this.#turn(pagination);
      this.dispatchEvent(new CustomEvent("older", { detail: data }));
      this.#lookAgain();
      return true;
    } catch {
      // The link stays where it is, to be tried again.
      return false;
    } finally {
      this.#busy = false;
    }
  }

  #turn({ next, has_more: hasMore }) {
    this.#link.hidden = !hasMore;
    this.#link.dataset.before = next ?? 0;
    this.#link.search = `?before=${next}`;
  }

  /** A page may be shorter than the screen: look again whether the top is near. */
  #lookAgain() {
    this.#observer.unobserve(this.#link);
    this.#observer.observe(this.#link);
  }
}
