// Who is typing where. What was heard long ago is forgotten: the server says it again while it goes on.

const FORGET = 15_000;

export class Typists extends EventTarget {
  #typing = new Map();

  constructor(socket) {
    super();
    socket.addEventListener("typing", ({ detail }) => this.#hear(detail));
    socket.addEventListener("message.created", ({ detail }) => this.#end(detail.conversation_id, detail.message.sender_id));
    socket.addEventListener("lost", () => this.#endAll());
  }

  /** Those who are typing in a conversation, who began first in front. */
  in(id) {
    return [...(this.#typing.get(id)?.keys() ?? [])];
  }

  #hear({ conversation_id: id, user_id: userId, state }) {
    if (state === "start") this.#begin(id, userId);
    else this.#end(id, userId);
  }

  #begin(id, userId) {
    const here = this.#typing.get(id) ?? new Map();
    this.#typing.set(id, here);
    clearTimeout(here.get(userId));
    here.set(userId, setTimeout(() => this.#end(id, userId), FORGET));
    this.#tell(id);
  }

  #end(id, userId) {
    const here = this.#typing.get(id);
    if (!here?.has(userId)) return;
    clearTimeout(here.get(userId));
    here.delete(userId);
    this.#tell(id);
  }

  #endAll() {
    for (const [id, here] of this.#typing) for (const userId of [...here.keys()]) this.#end(id, userId);
  }

  #tell(id) {
    this.dispatchEvent(new CustomEvent("changed", { detail: { id } }));
  }
}
