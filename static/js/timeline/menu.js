// The menu of a message, one element for all: opened by the message's button or by a long press.

const LONG_PRESS_MS = 500;
const MOST_MOVE_PX = 10;
const NARROW_BELOW_PX = 640;

export class Menu extends EventTarget {
  #menu;
  #actionsFor;
  #article = null;
  #opener = null;
  #press = null;

  /** `actionsFor` returns the actions that a message offers. */
  constructor(menu, list, actionsFor) {
    super();
    this.#menu = menu;
    this.#actionsFor = actionsFor;
    list.addEventListener("click", (event) => this.#click(event));
    list.addEventListener("keydown", (event) => event.key === " " && this.#click(event));
    list.addEventListener("focusin", ({ target }) => target.matches("[data-more]") && (target.ariaHasPopup = "menu"));
    list.addEventListener("pointerdown", (event) => this.#pointerDown(event));
    list.addEventListener("contextmenu", (event) => this.#press && event.preventDefault());
    addEventListener("pointerdown", ({ target }) => menu.contains(target) || menu.hidePopover());
    for (const type of ["pointerup", "pointercancel"]) addEventListener(type, () => this.#endPress());
    addEventListener("pointermove", (event) => this.#pointerMove(event));
    menu.addEventListener("keydown", (event) => this.#handleKey(event));
    menu.addEventListener("click", (event) => this.#choose(event));
    menu.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#closed());
  }

  #click(event) {
    const more = event.target.closest("[data-more]");
    if (!more) return;
    event.preventDefault();
    this.#open(more.closest("[data-id]"), more.getBoundingClientRect());
  }

  #pointerDown(event) {
    const bubble = event.pointerType !== "mouse" && event.target.closest("[data-id]");
    if (!bubble || event.target.closest("button, [data-more]")) return;
    const timer = setTimeout(() => this.#longPress(bubble), LONG_PRESS_MS);
    this.#press = { timer, x: event.clientX, y: event.clientY };
  }

  /** Lifting the finger must not count as a tap on what lies under it. */
  #longPress(bubble) {
    this.#open(bubble, bubble.getBoundingClientRect(), true);
    addEventListener("click", swallow, true);
    addEventListener("pointerdown", () => removeEventListener("click", swallow, true), { once: true, capture: true });
  }

  #pointerMove({ clientX, clientY }) {
    if (this.#press && Math.hypot(clientX - this.#press.x, clientY - this.#press.y) > MOST_MOVE_PX) this.#endPress();
  }

  #endPress() {
    clearTimeout(this.#press?.timer);
    this.#press = null;
  }

  #open(article, where, byTouch = false) {
    const actions = this.#actionsFor(article);
    if (!actions.size) return;
    this.#article = article;
    this.#opener = article.querySelector("[data-more]");
    for (const item of this.#menu.querySelectorAll("[data-do]")) item.hidden = !actions.has(item.dataset.do);
    this.#menu.classList.toggle("menu--sheet", byTouch || innerWidth < NARROW_BELOW_PX);
    this.#menu.showPopover();
    this.#position(where);
    this.#opener.ariaExpanded = "true";
    this.#items[0].focus({ preventScroll: true });
  }

  /** Beside what opened it and within the window; a sheet is positioned by its style. */
  #position({ top, bottom, right }) {
    const { offsetWidth: width, offsetHeight: height, style } = this.#menu;
    if (this.#menu.classList.contains("menu--sheet")) return style.removeProperty("top"), style.removeProperty("left");
    const below = bottom + height + 8 < innerHeight;
    style.left = `${Math.max(8, Math.min(right - width, innerWidth - width - 8))}px`;
    style.top = `${Math.max(8, below ? bottom + 4 : top - height - 4)}px`;
  }

  get #items() {
    return [...this.#menu.querySelectorAll("[data-do]:not([hidden])")];
  }

  #handleKey(event) {
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
    const { do: action, emoji } = item.dataset;
    this.dispatchEvent(new CustomEvent(action, { detail: { article, emoji } }));
  }

  /** Return the focus from the menu to what opened it. */
  #closed() {
    const focused = document.activeElement;
    this.#opener.ariaExpanded = "false";
    if (focused === document.body || this.#menu.contains(focused)) this.#opener.focus({ preventScroll: true });
  }
}

/** Stop a click, unless it was made by a key: then its `detail` is 0. */
function swallow(event) {
  if (!event.detail) return;
  event.preventDefault();
  event.stopPropagation();
}
