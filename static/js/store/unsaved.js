// A draft that the server does not have yet, stored for as long as the tab is open.

export class Unsaved {
  #device;
  #key;

  constructor(device, conversationId) {
    this.#device = device;
    this.#key = device.keyFor("draft", conversationId);
  }

  read() {
    try {
      return sessionStorage.getItem(this.#key) ?? "";
    } catch {
      return "";
    }
  }

  write(text) {
    if (this.#device.isSignedOut) return;
    try {
      if (text) sessionStorage.setItem(this.#key, text);
      else sessionStorage.removeItem(this.#key);
    } catch {
      // Without storage the draft lives as long as the page.
    }
  }
}
