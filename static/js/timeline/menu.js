// The one menu of all messages: opened by its button, or by resting a finger on a message.

const LONG = 500;
const SLIP = 10;
const WIDE = 640;

export class Menu extends EventTarget {
  #menu;
  #offers;
  #article = null;
  #opener = null;
  #press = null;

  /** `offers` tells which acts there are for a message. */
  constructor(menu, list, offers) {
    super();
    this.#menu = menu;
    this.#offers = offers;
    list.addEventListener("click", (event) => this.#click(event));
    list.addEventListener("keydown", (event) => event.key === " " && this.#click(event));
    list.addEventListener("focusin", ({ target }) => target.matches("[data-more]") && (target.ariaHasPopup = "menu"));
    list.addEventListener("pointerdown", (event) => this.#touch(event));
    list.addEventListener("contextmenu", (event) => this.#press && event.preventDefault());
    addEventListener("pointerdown", ({ target }) => menu.contains(target) || menu.hidePopover());
    for (const type of ["pointerup", "pointercancel"]) addEventListener(type, () => this.#lift());
    addEventListener("pointermove", (event) => this.#slip(event));
    menu.addEventListener("keydown", (event) => this.#key(event));
    menu.addEventListener("click", (event) => this.#choose(event));
    menu.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#closed());
  }

  #click(event) {
    const more = event.target.closest("[data-more]");
    if (!more) return;
    event.preventDefault();
    this.#open(more.closest("[data-id]"), more.getBoundingClientRect());
  }

  #touch(event) {
    const bubble = event.pointerType !== "mouse" && event.target.closest("[data-id]");
    if (!bubble || event.target.closest("button, [data-more]")) return;
    const timer = setTimeout(() => this.#hold(bubble), LONG);
    this.#press = { timer, x: event.clientX, y: event.clientY };
  }

  /** What lies under the finger when it is lifted must not take that for a tap. */
  #hold(bubble) {
    this.#open(bubble, bubble.getBoundingClientRect(), true);
    addEventListener("click", swallow, true);
    addEventListener("pointerdown", () => removeEventListener("click", swallow, true), { once: true, capture: true });
  }

  #slip({ clientX, clientY }) {
    if (this.#press && Math.hypot(clientX - this.#press.x, clientY - this.#press.y) > SLIP) this.#lift();
  }

  #lift() {
    clearTimeout(this.#press?.timer);
    this.#press = null;
  }

  #open(article, where, byTouch = false) {
    const offers = this.#offers(article);
    if (!offers.size) return;
    this.#article = article;
    this.#opener = article.querySelector("[data-more]");
    for (const item of this.#menu.querySelectorAll("[data-do]")) item.hidden = !offers.has(item.dataset.do);
    this.#menu.classList.toggle("menu--sheet", byTouch || innerWidth < WIDE);
    this.#menu.showPopover();
    this.#place(where);
    this.#opener.ariaExpanded = "true";
    this.#items[0].focus({ preventScroll: true });
  }

  /** Beside what opened it, and within the window; a sheet lies where its style puts it. */
  #place({ top, bottom, right }) {
    const { offsetWidth: width, offsetHeight: height, style } = this.#menu;
    if (this.#menu.classList.contains("menu--sheet")) return style.removeProperty("top"), style.removeProperty("left");
    const below = bottom + height + 8 < innerHeight;
    style.left = `${Math.max(8, Math.min(right - width, innerWidth - width - 8))}px`;
    style.top = `${Math.max(8, below ? bottom + 4 : top - height - 4)}px`;
  }

  get #items() {
    return [...this.#menu.querySelectorAll("[data-do]:not([hidden])")];
  }

  #key(event) {
    const [items, key] = [this.#items, event.key];
    const at = items.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[key];
    const target = step ? (at + step + items.length) % items.length : { Home: 0, End: items.length - 1 }[key];
    if (key === "Tab" || key === "Escape") this.#menu.hidePopover();
    else if (target === undefined) return;
    event.preventDefault();
    items[target]?.focus();
  }

  #choose({ target }) {
    const item = target.closest("[data-do]");
    if (!item) return;
    const article = this.#article;
    this.#menu.hidePopover();
    const { do: act, emoji } = item.dataset;
    this.dispatchEvent(new CustomEvent(act, { detail: { article, emoji } }));
  }

  /** Whoever was in the menu is back where they came from. */
  #closed() {
    const focused = document.activeElement;
    this.#opener.ariaExpanded = "false";
    if (focused === document.body || this.#menu.contains(focused)) this.#opener.focus({ preventScroll: true });
  }
}

/** A click without a number was made by a key. */
function swallow(event) {
  if (!event.detail) return;
  event.preventDefault();
  event.stopPropagation();
}
