// Says what has come to this device: of each conversation up to where nothing is missing, gathered for a moment.

const GATHERING = 300;

export class Receiver {
  #socket;
  #conversations;
  #told = new Map();
  #open = null;
  #lacking = true;
  #timer = null;

  constructor(socket, conversations) {
    this.#socket = socket;
    this.#conversations = conversations;
    for (const type of ["lost", "resync"]) socket.addEventListener(type, () => (this.#lacking = true));
    socket.addEventListener("connected", () => this.#told.clear());
    conversations.addEventListener("replaced", () => this.#complete());
    conversations.addEventListener("changed", () => this.#soon());
  }

  /** What is open has come as far as its messages, not as far as its row in the list. */
  follow(id, feed) {
    this.#open = { id, feed };
    feed.addEventListener("progress", () => this.#soon());
  }

  #complete() {
    this.#lacking = false;
    this.#soon();
  }

  #soon() {
    this.#timer ??= setTimeout(() => this.#tell(), GATHERING);
  }

  #tell() {
    this.#timer = null;
    if (this.#lacking) return;
    for (const conversation of this.#conversations.all()) this.#tellOf(conversation);
  }

  #tellOf({ id, last_position: last, me }) {
    const through = this.#open?.id === id ? this.#open.feed.position : last;
    if (through <= Math.max(me.delivered_through, this.#told.get(id) ?? 0)) return;
    if (this.#socket.tell({ type: "delivered", conversation_id: id, through })) this.#told.set(id, through);
  }
}
