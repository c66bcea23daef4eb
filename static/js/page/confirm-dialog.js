// A question that waits for its answer. The browser brings the focus back to where it was.

export class Ask {
  #dialog;

  constructor(dialog) {
    this.#dialog = dialog;
    // No button that sends: Enter in a field would press the first of those.
    dialog.querySelector("[data-no]")?.addEventListener("click", () => dialog.close());
  }

  /** What was typed, or true; nothing if the answer is no. */
  async answer() {
    const form = this.#dialog.querySelector("form");
    form.reset();
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    await new Promise((resolve) => this.#dialog.addEventListener("close", resolve, { once: true }));
    if (this.#dialog.returnValue !== "yes") return null;
    return form.querySelector("input") ? form.querySelector("input").value.trim() : true;
  }
}
