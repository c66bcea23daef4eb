// Older messages, fetched when the reader comes near the top. Its link works without any of this.

const [PAGES_MOST, PAGE] = [30, 100];

export class History extends EventTarget {
  #link;
  #api;
  #conversationId;
  #observer;
  #running = null;

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

  /** Fetch as far back as a position, unless that is so many pages that somebody would wait for a minute. */
  async reach(position) {
    const isFar = () => position < Number(this.#link.dataset.before);
    if (Number(this.#link.dataset.before) - position > PAGES_MOST * PAGE) return;
    while (isFar() && (await this.#fetch(PAGE)));
  }

  /** Fetch a page, or wait for the one that is on its way; tell whether that brought something. */
  #fetch(limit = 50) {
    this.#running ??= this.#load(limit).finally(() => (this.#running = null));
    return this.#running;
  }

  async #load(limit) {
    if (this.#link.hidden) return false;
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
