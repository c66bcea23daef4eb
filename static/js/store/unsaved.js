// A half-written text that the server does not have yet, kept for as long as the tab lives.

export class Unsaved {
  #device;
  #key;

  constructor(device, conversationId) {
    this.#device = device;
    this.#key = device.name("draft", conversationId);
  }

  read() {
    try {
      return sessionStorage.getItem(this.#key) ?? "";
    } catch {
      return "";
    }
  }

  write(text) {
    if (this.#device.isOver) return;
    try {
      if (text) sessionStorage.setItem(this.#key, text);
      else sessionStorage.removeItem(this.#key);
    } catch {
      // Without storage it lives as long as the page.
    }
  }
}
