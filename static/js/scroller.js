// The window on the timeline. It rests at the end; who has scrolled up is left in peace.

const NEAR = 48;

export class Scroller extends EventTarget {
  #box;
  #button;
  #count;
  #missed = 0;

  constructor(box, button) {
    super();
    this.#box = box;
    this.#button = button;
    this.#count = button.querySelector("[data-newest-count]");
    box.addEventListener("scroll", () => this.#settle(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
  }

  /** In a reversed column zero is the end, and above it is negative. */
  get atEnd() {
    return Math.abs(this.#box.scrollTop) < NEAR;
  }

  toEnd() {
    this.#box.scrollTop = 0;
    this.#settle();
  }

  /** Let something be added below without moving what is being read. */
  hold(draw) {
    const { scrollHeight } = this.#box;
    const wasAtEnd = this.atEnd;
    draw();
    if (!wasAtEnd) this.#box.scrollTop -= this.#box.scrollHeight - scrollHeight;
  }

  /** Count a message that came while the reader was further up. */
  miss() {
    if (this.atEnd) return;
    this.#missed += 1;
    this.#settle();
  }

  /** Add older lines above; they are not news, so nobody reads them out. */
  silently(draw) {
    this.#box.setAttribute("aria-live", "off");
    draw();
    requestAnimationFrame(() => this.#box.setAttribute("aria-live", "polite"));
  }

  #settle() {
    if (this.atEnd) this.#missed = 0;
    this.#button.hidden = this.atEnd;
    this.#count.textContent = this.#missed || "";
    if (this.atEnd) this.dispatchEvent(new Event("end"));
  }
}
