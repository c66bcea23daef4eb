// Tells the others what happens at this desk: that someone writes here, and that someone looks.

const EVERY = 3000;

export class Signals {
  #socket;
  #conversationId;
  #saidAt = 0;

  constructor(socket, composer, conversationId) {
    this.#socket = socket;
    this.#conversationId = conversationId;
    composer.addEventListener("typing", ({ detail }) => this.#type(detail.goesOn));
    socket.addEventListener("connected", () => this.#connected());
    document.addEventListener("visibilitychange", () => this.#look());
  }

  #connected() {
    this.#saidAt = 0;
    if (!document.hidden) this.#look();
  }

  #look() {
    this.#tell({ type: document.hidden ? "conversation.close" : "conversation.open" });
  }

  #type(goesOn) {
    const now = Date.now();
    if (goesOn ? now - this.#saidAt < EVERY : !this.#saidAt) return;
    const isSaid = this.#tell({ type: "typing", state: goesOn ? "start" : "stop" });
    this.#saidAt = goesOn && isSaid ? now : 0;
  }

  #tell(frame) {
    return this.#socket.tell({ ...frame, conversation_id: this.#conversationId });
  }
}
