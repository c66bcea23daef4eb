// Loads older messages when the reader scrolls near the top. Without scripts its link works by itself.

const [MOST_PAGES, PAGE] = [30, 100];

export class History extends EventTarget {
  #link;
  #api;
  #conversationId;
  #observer;
  #running = null;
  #restarts = 0;

  constructor(link, root, api, conversationId) {
    super();
    this.#link = link;
    this.#api = api;
    this.#conversationId = conversationId;
    link.addEventListener("click", (event) => this.#click(event));
    const near = ([entry]) => entry.isIntersecting && this.#loadPage();
    this.#observer = new IntersectionObserver(near, { root, rootMargin: "600px 0px 0px" });
    this.#observer.observe(link);
  }

  #click(event) {
    event.preventDefault();
    this.#loadPage();
  }

  /** Load back to a position, unless that takes so many pages that the reader would wait for a minute. */
  async loadBackTo(position) {
    const isFar = () => position < Number(this.#link.dataset.before);
    if (Number(this.#link.dataset.before) - position > MOST_PAGES * PAGE) return;
    while (isFar() && (await this.#loadPage(PAGE)));
  }

  /** Continue from another page, whose `pagination` this is. */
  restart(pagination) {
    this.#restarts += 1;
    this.#updateLink(pagination);
    this.#observeAgain();
  }

  /** Load a page, or wait for the one that is loading. Resolves with whether it was loaded. */
  #loadPage(limit = 50) {
    this.#running ??= this.#fetchPage(limit).finally(() => (this.#running = null));
    return this.#running;
  }

  async #fetchPage(limit) {
    if (this.#link.hidden) return false;
    const restarts = this.#restarts;
    try {
      const before = this.#link.dataset.before;
      const { data, pagination } = await this.#api.messages(this.#conversationId, { before, limit });
      if (restarts !== this.#restarts) return false;
      this.#updateLink(pagination);
      this.dispatchEvent(new CustomEvent("older", { detail: data }));
      this.#observeAgain();
      return true;
    } catch {
      // The link stays, so that the reader can try again.
      return false;
    }
  }

  #updateLink({ next, has_more: hasMore }) {
    this.#link.hidden = !hasMore;
    this.#link.dataset.before = next ?? 0;
    this.#link.search = `?before=${next}`;
  }

  /** A page may be shorter than the screen: check again whether the top is near. */
  #observeAgain() {
    this.#observer.unobserve(this.#link);
    this.#observer.observe(this.#link);
  }
}
