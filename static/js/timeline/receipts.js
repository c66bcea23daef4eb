// How far the others in the open conversation have received and read the messages. What counts is the lowest watermark.

export class Receipts extends EventTarget {
  #userId;
  #watermarks = new Map();
  #all = { delivered: 0, read: 0 };

  /** `participants` are the members if they are listed; a large group has no list, and so no receipts. */
  constructor(userId, participants) {
    super();
    this.#userId = userId;
    this.replace({ participants });
  }

  /** The highest positions that all others have received and read. */
  get all() {
    return this.#all;
  }

  /** Forget how far the others were: a backup was restored. */
  forget() {
    this.#watermarks.clear();
  }

  /** Replace all members by the current ones. */
  replace({ participants = [] }) {
    const here = new Set(participants.map(({ user }) => user.id));
    for (const id of this.#watermarks.keys()) if (!here.has(id)) this.#watermarks.delete(id);
    for (const { user, ...watermarks } of participants) this.#raise(user.id, watermarks);
    this.#update();
  }

  /** Apply joins and departures. */
  applyChanges({ participants: { added = [], removed = [] } = {} }) {
    if (!this.#watermarks.size) return;
    for (const { user, ...watermarks } of added) this.#raise(user.id, watermarks);
    for (const id of removed) this.#watermarks.delete(id);
    this.#update();
  }

  receive(receipts) {
    for (const { user_id: id, ...watermarks } of receipts) if (this.#watermarks.has(id)) this.#raise(id, watermarks);
    this.#update();
  }

  #raise(id, { delivered_through: delivered, read_through: read }) {
    if (id === this.#userId) return;
    const known = this.#watermarks.get(id) ?? { delivered: 0, read: 0 };
    this.#watermarks.set(id, { delivered: Math.max(known.delivered, delivered), read: Math.max(known.read, read) });
  }

  #update() {
    const watermarks = [...this.#watermarks.values()];
    const least = (kind) => (watermarks.length ? Math.min(...watermarks.map((each) => each[kind])) : 0);
    this.#all = { delivered: least("delivered"), read: least("read") };
    this.dispatchEvent(new Event("changed"));
  }
}
