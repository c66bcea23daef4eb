// The scrolling of the timeline. At the end it stays at the end; for a reader who has scrolled up, the first message in
// view stays where it is, whatever changes above or below it, with or without the browser's own scroll anchoring.

const END_WITHIN_PX = 48;

export class Scroller extends EventTarget {
  #box;
  #list;
  #button;
  #count;
  #unseen = 0;
  /** The bubbles in view and their distances from the top of the window, when last measured. */
  #anchors = [];
  #scrolledTo = 0;

  constructor(box, list, button) {
    super();
    this.#box = box;
    this.#list = list;
    this.#button = button;
    this.#count = button.querySelector("[data-newest-count]");
    box.addEventListener("scroll", () => this.#update(), { passive: true });
    button.addEventListener("click", () => this.scrollToEnd());
    const sizes = new ResizeObserver(() => this.#restore());
    for (const element of [box, list]) sizes.observe(element);
    this.#remember();
  }

  /** In a reversed column the end is at zero, and positions above it are negative. */
  get atEnd() {
    return Math.abs(this.#box.scrollTop) < END_WITHIN_PX;
  }

  scrollToEnd() {
    this.#box.scrollTop = 0;
    this.#update();
  }

  /** Draw something without moving what is being read. */
  keepPosition(draw) {
    this.#restore();
    draw();
    this.#restore();
  }

  /** Count a message that arrived while the reader is further up. */
  countUnseen() {
    if (this.atEnd) return;
    this.#unseen += 1;
    this.#update();
  }

  /** Add older messages above; screen readers do not announce them. */
  silently(draw) {
    this.#box.setAttribute("aria-live", "off");
    this.keepPosition(draw);
    requestAnimationFrame(() => this.#box.setAttribute("aria-live", "polite"));
  }

  #update() {
    this.#remember();
    if (this.atEnd) this.#unseen = 0;
    this.#button.hidden = this.atEnd;
    this.#count.textContent = this.#unseen || "";
    if (this.atEnd) this.dispatchEvent(new Event("end"));
  }

  /** Move the first message in view back to where it was; at the end, stay at the end. */
  #restore() {
    // If the reader has scrolled since then, other messages are in view.
    if (this.#box.scrollTop === this.#scrolledTo) this.#moveBack();
    this.#remember();
  }

  #moveBack() {
    const anchor = this.#anchors.find(({ bubble }) => bubble.isConnected);
    const moved = anchor ? this.#topOf(anchor.bubble) - anchor.top : 0;
    if (Math.abs(moved) < 0.5) return;
    if (this.atEnd) this.#box.scrollTop = 0;
    else this.#box.scrollTop += moved;
  }

  #remember() {
    this.#scrolledTo = this.#box.scrollTop;
    const [first] = this.#anchors;
    this.#anchors = this.#inView().map((bubble) => ({ bubble, top: this.#topOf(bubble) }));
    // Browsers scroll by whole pixels: the rounding errors must not add up.
    const [now] = this.#anchors;
    if (now && now.bubble === first?.bubble && Math.abs(now.top - first.top) < 1) now.top = first.top;
  }

  #topOf(bubble) {
    return bubble.getBoundingClientRect().top - this.#box.getBoundingClientRect().top;
  }

  /** Lines are in order, so the first one in view is found by bisection. */
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
    for (let line = lines[low]; line && line.getBoundingClientRect().top < bottom; line = line.nextElementSibling) {
      found.push(bubbleOf(line));
    }
    return found;
  }
}

const bubbleOf = (line) => line.querySelector("[data-bubble]");
