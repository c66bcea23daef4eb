// A dialog that asks a question. The browser returns the focus to where it was.

export class ConfirmDialog {
  #dialog;

  constructor(dialog) {
    this.#dialog = dialog;
    // Not a submit button: Enter in a field would press the first of those.
    dialog.querySelector("[data-no]")?.addEventListener("click", () => dialog.close());
  }

  /** Ask. Resolves with what was typed, or true; with null if the answer is no. */
  async ask() {
    const form = this.#dialog.querySelector("form");
    form.reset();
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    await new Promise((resolve) => this.#dialog.addEventListener("close", resolve, { once: true }));
    if (this.#dialog.returnValue !== "yes") return null;
    return form.querySelector("input") ? form.querySelector("input").value.trim() : true;
  }
}
