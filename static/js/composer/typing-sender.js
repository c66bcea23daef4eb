// Tells the server that the reader is typing, again every few seconds, and when the reader stops.

const REPEAT_MS = 3000;

export class TypingSender {
  #socket;
  #conversationId;
  #sentAt = 0;

  constructor(socket, composer, conversationId) {
    this.#socket = socket;
    this.#conversationId = conversationId;
    composer.addEventListener("typing", ({ detail }) => this.#update(detail.isTyping));
    socket.addEventListener("connected", () => (this.#sentAt = 0));
  }

  #update(isTyping) {
    const now = Date.now();
    if (isTyping ? now - this.#sentAt < REPEAT_MS : !this.#sentAt) return;
    const isSent = this.#send(isTyping ? "start" : "stop");
    this.#sentAt = isTyping && isSent ? now : 0;
  }

  #send(state) {
    return this.#socket.send({ type: "typing", state, conversation_id: this.#conversationId });
  }
}
