// A half-written text, kept for as long as the tab lives.

export class Draft {
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
      sessionStorage.setItem(this.#key, text);
    } catch {
      // Without storage a draft lives as long as the page.
    }
  }
}
