// Jumps to a message that is quoted or named in the address, loads older pages if needed, and highlights it.

const HIGHLIGHT_MS = 2000;
const FRAGMENT = /^#m-([0-9a-f-]{36})$/;

export class Jump {
  #timeline;
  #history;
  #api;

  constructor({ list, timeline, history, api }) {
    this.#timeline = timeline;
    this.#history = history;
    this.#api = api;
    list.addEventListener("click", (event) => this.#click(event));
    const [, named] = FRAGMENT.exec(location.hash) ?? [];
    if (named && !timeline.has(named)) this.#jumpTo(named);
  }

  async #click(event) {
    const quote = event.target.closest("[data-quote]");
    if (!quote) return;
    event.preventDefault();
    const isOnPage = await this.#jumpTo(quote.closest("[data-id]").dataset.replyTo);
    // A message that is too far back for this page is shown on its own page.
    if (isOnPage === false) location.assign(quote.href);
  }

  /** Whether the message is on the page now; undefined if this reader may not see it, which the quote says. */
  async #jumpTo(id) {
    if (!this.#timeline.has(id) && !(await this.#load(id))) return undefined;
    const line = this.#timeline.line(id);
    if (line) this.#highlight(line);
    return Boolean(line);
  }

  async #load(id) {
    try {
      const { position } = await this.#api.message(id);
      await this.#history.loadBackTo(position);
      return true;
    } catch {
      return false;
    }
  }

  #highlight(line) {
    line.scrollIntoView({ block: "center" });
    line.classList.add("line--found");
    line.querySelector("[data-more]").focus({ preventScroll: true });
    setTimeout(() => line.classList.remove("line--found"), HIGHLIGHT_MS);
  }
}
