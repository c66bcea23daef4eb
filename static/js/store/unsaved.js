// A half-written text that the server does not have yet, kept for as long as the tab lives.

export class Unsaved {
  #key;

  constructor(conversationId) {
    this.#key = `draft-${conversationId}`;
  }

  read() {
    try {
      return sessionStorage.getItem(this.#key) ?? "";
    } catch {
      return "";
    }
  }

  write(text) {
    try {
      if (text) sessionStorage.setItem(this.#key, text);
      else sessionStorage.removeItem(this.#key);
    } catch {
      // Without storage it lives as long as the page.
    }
  }
}
