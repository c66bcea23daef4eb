// The window on the timeline. It rests at the end; for whoever has scrolled up, the first message in view stays where it
// is, whatever changes above or below it, and whether the browser anchors what is in view by itself or not.

const NEAR = 48;

export class Scroller extends EventTarget {
  #box;
  #list;
  #button;
  #count;
  #missed = 0;
  /** The bubbles in view and how far below the top of the window each stands, when that was last looked at. */
  #anchors = [];
  #scrolledTo = 0;

  constructor(box, list, button) {
    super();
    this.#box = box;
    this.#list = list;
    this.#button = button;
    this.#count = button.querySelector("[data-newest-count]");
    box.addEventListener("scroll", () => this.#settle(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    const sizes = new ResizeObserver(() => this.#keep());
    for (const element of [box, list]) sizes.observe(element);
    this.#look();
  }

  /** In a reversed column zero is the end, and above it is negative. */
  get atEnd() {
    return Math.abs(this.#box.scrollTop) < NEAR;
  }

  toEnd() {
    this.#box.scrollTop = 0;
    this.#settle();
  }

  /** Let something be drawn without moving what is being read. */
  hold(draw) {
    this.#keep();
    draw();
    this.#keep();
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
    this.hold(draw);
    requestAnimationFrame(() => this.#box.setAttribute("aria-live", "polite"));
  }

  #settle() {
    this.#look();
    if (this.atEnd) this.#missed = 0;
    this.#button.hidden = this.atEnd;
    this.#count.textContent = this.#missed || "";
    if (this.atEnd) this.dispatchEvent(new Event("end"));
  }

  /** Put the first message in view back to where it was; at the end, stay at the end. */
  #keep() {
    // Whoever has scrolled since then looks at something else.
    if (this.#box.scrollTop === this.#scrolledTo) this.#moveBack();
    this.#look();
  }

  #moveBack() {
    const anchor = this.#anchors.find(({ bubble }) => bubble.isConnected);
    const moved = anchor ? this.#topOf(anchor.bubble) - anchor.top : 0;
    if (Math.abs(moved) < 0.5) return;
    if (this.atEnd) this.#box.scrollTop = 0;
    else this.#box.scrollTop += moved;
  }

  #look() {
    this.#scrolledTo = this.#box.scrollTop;
    const [first] = this.#anchors;
    this.#anchors = this.#inView().map((bubble) => ({ bubble, top: this.#topOf(bubble) }));
    // Windows scroll by whole pixels: what that leaves must not add up.
    const [now] = this.#anchors;
    if (now && now.bubble === first?.bubble && Math.abs(now.top - first.top) < 1) now.top = first.top;
  }

  #topOf(bubble) {
    return bubble.getBoundingClientRect().top - this.#box.getBoundingClientRect().top;
  }

  /** Lines stand in order, so the first one in view is found without looking at them all. */
  #inView() {
    const { top, bottom } = this.#box.getBoundingClientRect();
    const lines = this.#list.children;
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bubbleOf(lines[middle]).getBoundingClientRect().bottom > top) high = middle;
      else low = middle + 1;
    }
    const found = [];
    for (let line = lines[low]; line && line.getBoundingClientRect().top < bottom; line = line.nextElementSibling) found.push(bubbleOf(line));
    return found;
  }
}

const bubbleOf = (line) => line.querySelector("[data-bubble]");
