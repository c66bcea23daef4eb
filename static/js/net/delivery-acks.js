// Acknowledges what this device has received: each conversation up to the position to which nothing is missing.
// Acknowledgements are batched for a moment.

const BATCH_MS = 300;

export class DeliveryAcks {
  #socket;
  #conversations;
  #acknowledged = new Map();
  #open = null;
  #isIncomplete = true;
  #timer = null;

  constructor(socket, conversations) {
    this.#socket = socket;
    this.#conversations = conversations;
    for (const type of ["lost", "resync"]) socket.addEventListener(type, () => (this.#isIncomplete = true));
    socket.addEventListener("connected", () => this.#acknowledged.clear());
    conversations.addEventListener("replaced", () => this.#complete());
    conversations.addEventListener("changed", () => this.#schedule());
  }

  /** Acknowledge the open conversation up to the messages on the page, not up to its row in the inbox. */
  watch(id, feed) {
    this.#open = { id, feed };
    feed.addEventListener("progress", () => this.#schedule());
  }

  #complete() {
    this.#isIncomplete = false;
    this.#schedule();
  }

  #schedule() {
    this.#timer ??= setTimeout(() => this.#sendAll(), BATCH_MS);
  }

  #sendAll() {
    this.#timer = null;
    if (this.#isIncomplete) return;
    for (const conversation of this.#conversations.all()) this.#send(conversation);
  }

  #send({ id, last_position: last, me }) {
    const through = this.#open?.id === id ? this.#open.feed.position : last;
    if (through <= Math.max(me.delivered_through, this.#acknowledged.get(id) ?? 0)) return;
    if (this.#socket.send({ type: "delivered", conversation_id: id, through })) this.#acknowledged.set(id, through);
  }
}
