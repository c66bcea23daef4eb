// Signing out: half a text is saved, messages that are not sent are asked about, and then nothing stays in the browser.

export class SignOut {
  #form;
  #device;
  #outbox;
  #ask;

  constructor(form, { device, outbox, ask }) {
    this.#form = form;
    this.#device = device;
    this.#outbox = outbox;
    this.#ask = ask;
    form.addEventListener("submit", (event) => this.#leave(event));
  }

  async #leave(event) {
    event.preventDefault();
    const unsent = await this.#outbox.all();
    if (unsent.length && !(await this.#ask.answer())) return;
    await this.#device.leave();
    // Whatever the browser keeps of this page shows nothing.
    document.body.hidden = true;
    this.#form.submit();
  }
}
