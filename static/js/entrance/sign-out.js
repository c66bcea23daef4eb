// Signing out: saves the draft, asks what to do about unsent messages, and removes everything from the browser.

export class SignOut {
  #form;
  #device;
  #outbox;
  #dialog;

  constructor(form, { device, outbox, dialog }) {
    this.#form = form;
    this.#device = device;
    this.#outbox = outbox;
    this.#dialog = dialog;
    form.addEventListener("submit", (event) => this.#signOut(event));
  }

  async #signOut(event) {
    event.preventDefault();
    const unsent = await this.#outbox.all();
    if (unsent.length && !(await this.#dialog.ask())) return;
    await this.#device.signOut();
    // If the browser brings this page back from its memory, it shows nothing.
    document.body.hidden = true;
    this.#form.submit();
  }
}
