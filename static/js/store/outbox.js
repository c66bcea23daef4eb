// What was written and is not acknowledged yet. It survives a reload where the browser lets it.
// All tabs of a person share it: the disk counts, and beside it what this tab has not written there yet.

import { openDB } from "../../vendor/idb-8.0.4.js";

const upgrade = (database) => database.createObjectStore("letters", { keyPath: "id" });
// Another tab removes it: that waits for everyone who has it open.
const blocking = (_known, _wanted, { target }) => target.close();

export class Outbox extends EventTarget {
  #name;
  #device;
  #store;
  #tabs;
  #letters = new Map();
  #unwritten = new Map();

  constructor(device) {
    super();
    this.#device = device;
    this.#name = device.name("parley-outbox");
    this.#store = openDB(this.#name, 1, { upgrade, blocking });
    this.#tabs = new BroadcastChannel(this.#name);
    this.#tabs.onmessage = () => this.#refresh();
    device.addEventListener("over", () => this.#close());
    this.#refresh();
  }

  /** Do what only one of all tabs may do at a time. Plain http has no locks; there the ids keep repeats harmless. */
  alone(task) {
    return navigator.locks ? navigator.locks.request(this.#name, task) : task();
  }

  /** Everything unsent as it is by now, in the order it was written. */
  async all() {
    await this.#refresh();
    return [...this.#letters.values()];
  }

  add(letter) {
    return this.#change([letter.id, letter]);
  }

  remove(id) {
    return this.#change([id, null]);
  }

  /** The server does not want it as it is; the person decides. */
  fail(id, reason) {
    return this.#revise(id, { reason });
  }

  retry(id) {
    return this.#revise(id, { reason: null });
  }

  /** Note which of a letter's files the server has. */
  load(id, media) {
    return this.#revise(id, { media: [...media] });
  }

  async rename(id, fresh) {
    const letter = this.#letters.get(id);
    if (letter) await this.#change([id, null], [fresh, { ...letter, id: fresh }]);
  }

  async #revise(id, changes) {
    const letter = this.#letters.get(id);
    if (letter) await this.#change([id, { ...letter, ...changes }]);
  }

  /** Show at once, then write; no letter means that it is gone. */
  async #change(...changes) {
    for (const [id, letter] of changes) this.#unwritten.set(id, letter);
    this.#show(this.#letters);
    await this.#write(changes);
  }

  /** A full or forbidden disk costs the survival of a reload, never the sending. */
  async #write(changes) {
    if (this.#device.isOver) return;
    try {
      const { store, done } = (await this.#store).transaction("letters", "readwrite");
      const requests = changes.map(([id, letter]) => (letter ? store.put(letter) : store.delete(id)));
      await Promise.all([...requests, done]);
    } catch {
      return;
    }
    for (const [id, letter] of changes) if (this.#unwritten.get(id) === letter) this.#unwritten.delete(id);
    this.#tabs.postMessage("changed");
  }

  #close() {
    this.#tabs.close();
    this.#store.then((store) => store.close(), () => {});
  }

  async #refresh() {
    try {
      const kept = await (await this.#store).getAll("letters");
      this.#show(new Map(kept.map((letter) => [letter.id, letter])));
    } catch {
      // Without a disk there is nothing to learn from it.
    }
  }

  /** Replace what is known, and say what that changes. */
  #show(kept) {
    const before = this.#letters;
    const letters = [...new Map([...kept, ...this.#unwritten]).values()].filter(Boolean);
    letters.sort((one, other) => one.written - other.written);
    this.#letters = new Map(letters.map((letter) => [letter.id, letter]));
    for (const id of before.keys()) if (!this.#letters.has(id)) this.#emit("removed", { id });
    for (const letter of letters) {
      const known = before.get(letter.id);
      if (!known) this.#emit("added", letter);
      else if (known.reason !== letter.reason) this.#emit("changed", letter);
    }
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
