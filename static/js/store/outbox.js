// What was written and is not acknowledged yet. It survives a reload where the browser lets it.

import { openDB } from "../../vendor/idb-8.0.4.js";

class Memory {
  #letters = new Map();
  getAll = async () => [...this.#letters.values()];
  put = async (_store, letter) => this.#letters.set(letter.id, letter);
  delete = async (_store, id) => this.#letters.delete(id);
}

function open(userId) {
  const upgrade = (database) => database.createObjectStore("letters", { keyPath: "id" });
  return openDB(`parley-outbox-${userId}`, 1, { upgrade }).catch(() => new Memory());
}

export class Outbox extends EventTarget {
  #letters = new Map();
  #store;
  #loaded;

  constructor(userId) {
    super();
    this.#store = open(userId);
    this.#loaded = this.#load();
  }

  async #load() {
    const kept = await (await this.#store).getAll("letters");
    for (const letter of kept) this.#letters.set(letter.id, letter);
  }

  /** Everything unsent, in the order it was written. */
  async all() {
    await this.#loaded;
    return [...this.#letters.values()].sort((one, other) => one.written - other.written);
  }

  has(id) {
    return this.#letters.has(id);
  }

  add(letter) {
    this.#keep(letter);
    this.#emit("added", letter);
  }

  remove(id) {
    this.#letters.delete(id);
    this.#write("delete", id);
    this.#emit("removed", { id });
  }

  /** The server does not want it as it is; the person decides. */
  fail(id, reason) {
    this.#change(id, { reason });
  }

  retry(id) {
    this.#change(id, { reason: null });
  }

  rename(id, fresh) {
    const letter = this.#letters.get(id);
    this.remove(id);
    this.add({ ...letter, id: fresh });
  }

  #change(id, changes) {
    if (!this.has(id)) return;
    const letter = { ...this.#letters.get(id), ...changes };
    this.#keep(letter);
    this.#emit("changed", letter);
  }

  #keep(letter) {
    this.#letters.set(letter.id, letter);
    this.#write("put", letter);
  }

  /** A full or forbidden disk costs the survival of a reload, never the sending. */
  async #write(verb, value) {
    const store = await this.#store;
    await store[verb]("letters", value).catch(() => {});
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
