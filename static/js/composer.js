// Where one writes. Enter sends, Shift and Enter begin a new line; on a phone the button sends.

export class Composer extends EventTarget {
  #form;
  #field;
  #draft;

  constructor(form, draft) {
    super();
    this.#form = form;
    this.#field = form.elements.text;
    this.#draft = draft;
    this.#field.value ||= draft.read();
    this.#field.required = false;
    form.addEventListener("submit", (event) => this.#send(event));
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("input", () => this.#draft.write(this.#field.value));
    if (!this.#byTouch) this.#field.focus();
  }

  get #byTouch() {
    return matchMedia("(pointer: coarse)").matches;
  }

  /** An input method uses Enter to choose a word; that one is not ours. */
  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || this.#byTouch) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #send(event) {
    event.preventDefault();
    const text = this.#field.value;
    if (!text.trim()) return;
    this.#field.value = "";
    this.#draft.write("");
    this.#field.focus();
    this.dispatchEvent(new CustomEvent("write", { detail: { text } }));
  }
}
