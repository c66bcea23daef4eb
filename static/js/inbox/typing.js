// Who is typing in which conversation. The server repeats the event while someone types; without it the state expires.

const EXPIRES_MS = 15_000;

export class Typing extends EventTarget {
  #typing = new Map();

  constructor(socket) {
    super();
    socket.addEventListener("typing", ({ detail }) => this.#receive(detail));
    socket.addEventListener("message.created", ({ detail: { conversation_id: id, message } }) => {
      this.#end(id, message.sender_id);
    });
    socket.addEventListener("lost", () => this.#endAll());
  }

  /** The ids of those who are typing in a conversation, in the order in which they began. */
  in(id) {
    return [...(this.#typing.get(id)?.keys() ?? [])];
  }

  #receive({ conversation_id: id, user_id: userId, state }) {
    if (state === "start") this.#start(id, userId);
    else this.#end(id, userId);
  }

  #start(id, userId) {
    const typists = this.#typing.get(id) ?? new Map();
    this.#typing.set(id, typists);
    clearTimeout(typists.get(userId));
    typists.set(userId, setTimeout(() => this.#end(id, userId), EXPIRES_MS));
    this.#emitChanged(id);
  }

  #end(id, userId) {
    const typists = this.#typing.get(id);
    if (!typists?.has(userId)) return;
    clearTimeout(typists.get(userId));
    typists.delete(userId);
    this.#emitChanged(id);
  }

  #endAll() {
    for (const [id, typists] of this.#typing) for (const userId of [...typists.keys()]) this.#end(id, userId);
  }

  #emitChanged(id) {
    this.dispatchEvent(new CustomEvent("changed", { detail: { id } }));
  }
}
