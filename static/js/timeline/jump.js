// Goes to where a message stands that is quoted, or that the address names, fetching older pages if need be, and points
// at it.

const LOOK = 2000;
const NAMED = /^#m-([0-9a-f-]{36})$/;

export class Finder {
  #timeline;
  #history;
  #api;

  constructor({ list, timeline, history, api }) {
    this.#timeline = timeline;
    this.#history = history;
    this.#api = api;
    list.addEventListener("click", (event) => this.#click(event));
    const [, named] = NAMED.exec(location.hash) ?? [];
    if (named && !timeline.has(named)) this.#find(named);
  }

  async #click(event) {
    const quote = event.target.closest("[data-quote]");
    if (!quote) return;
    event.preventDefault();
    const isThere = await this.#find(quote.closest("[data-id]").dataset.replyTo);
    // What is too far back for this page has one of its own.
    if (isThere === false) location.assign(quote.href);
  }

  /** Whether the message stands on the page by now; undefined where it is not there for this reader: the quote says so. */
  async #find(id) {
    if (!this.#timeline.has(id) && !(await this.#fetch(id))) return undefined;
    const line = this.#timeline.line(id);
    if (line) this.#point(line);
    return Boolean(line);
  }

  async #fetch(id) {
    try {
      const { position } = await this.#api.message(id);
      await this.#history?.reach(position);
      return true;
    } catch {
      return false;
    }
  }

  #point(line) {
    line.scrollIntoView({ block: "center" });
    line.classList.add("line--found");
    line.querySelector("[data-more]").focus({ preventScroll: true });
    setTimeout(() => line.classList.remove("line--found"), LOOK);
  }
}
