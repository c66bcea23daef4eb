// Goes to where a quoted message stands, fetching older pages if need be, and points at it.

const LOOK = 2000;

export class Finder {
  #timeline;
  #history;
  #api;

  constructor({ list, timeline, history, api }) {
    this.#timeline = timeline;
    this.#history = history;
    this.#api = api;
    list.addEventListener("click", (event) => this.#click(event));
  }

  async #click(event) {
    const quote = event.target.closest("[data-quote]");
    if (!quote) return;
    event.preventDefault();
    const id = quote.closest("[data-id]").dataset.replyTo;
    if (!this.#timeline.has(id)) await this.#fetch(id);
    const line = this.#timeline.line(id);
    if (line) this.#point(line);
  }

  async #fetch(id) {
    try {
      const { position } = await this.#api.message(id);
      await this.#history?.reach(position);
    } catch {
      // It is not there for this reader; the quote says so.
    }
  }

  #point(line) {
    line.scrollIntoView({ block: "center" });
    line.classList.add("line--found");
    line.querySelector("[data-more]").focus({ preventScroll: true });
    setTimeout(() => line.classList.remove("line--found"), LOOK);
  }
}
