// How far the others in the open conversation have had and read what was said; a mark counts when all of them are there.

export class Receipts extends EventTarget {
  #userId;
  #marks = new Map();
  #all = { delivered: 0, read: 0 };

  /** `participants` are the members, as far as they are listed; of a crowd nothing is known. */
  constructor(userId, participants) {
    super();
    this.#userId = userId;
    this.replace({ participants });
  }

  /** The newest positions that all others have had, and have read. */
  get all() {
    return this.#all;
  }

  /** Everyone who is in, as it is now. */
  replace({ participants = [] }) {
    const here = new Set(participants.map(({ user }) => user.id));
    for (const id of this.#marks.keys()) if (!here.has(id)) this.#marks.delete(id);
    for (const { user, ...marks } of participants) this.#put(user.id, marks);
    this.#settle();
  }

  /** Who came and who went. */
  change({ participants: { added = [], removed = [] } = {} }) {
    if (!this.#marks.size) return;
    for (const { user, ...marks } of added) this.#put(user.id, marks);
    for (const id of removed) this.#marks.delete(id);
    this.#settle();
  }

  hear(receipts) {
    for (const { user_id: id, ...marks } of receipts) if (this.#marks.has(id)) this.#put(id, marks);
    this.#settle();
  }

  #put(id, { delivered_through: delivered, read_through: read }) {
    if (id === this.#userId) return;
    const known = this.#marks.get(id) ?? { delivered: 0, read: 0 };
    this.#marks.set(id, { delivered: Math.max(known.delivered, delivered), read: Math.max(known.read, read) });
  }

  #settle() {
    const marks = [...this.#marks.values()];
    const least = (mark) => (marks.length ? Math.min(...marks.map((each) => each[mark])) : 0);
    this.#all = { delivered: least("delivered"), read: least("read") };
    this.dispatchEvent(new Event("changed"));
  }
}
