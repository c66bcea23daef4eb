// Tells the server whether the open conversation is visible.

export class VisibilitySender {
  #socket;
  #conversationId;

  constructor(socket, conversationId) {
    this.#socket = socket;
    this.#conversationId = conversationId;
    socket.addEventListener("connected", () => document.hidden || this.#send());
    document.addEventListener("visibilitychange", () => this.#send());
  }

  #send() {
    const type = document.hidden ? "conversation.close" : "conversation.open";
    this.#socket.send({ type, conversation_id: this.#conversationId });
  }
}
