// Messages that are written and not acknowledged yet. They survive a reload where the browser permits it.
// All tabs of a person share them: what counts is the database, plus what this tab has not written there yet.

import { openDB } from "../../vendor/idb-8.0.4.js";

// The name of the object store stays: browsers hold unsent messages under it.
const STORE = "letters";
const upgrade = (database) => database.createObjectStore(STORE, { keyPath: "id" });
// Another tab deletes the database: that waits until every tab has closed it.
const blocking = (_known, _wanted, { target }) => target.close();

export class Outbox extends EventTarget {
  #name;
  #device;
  #store;
  #tabs;
  #messages = new Map();
  #unwritten = new Map();

  constructor(device) {
    super();
    this.#device = device;
    this.#name = device.keyFor("parley-outbox");
    this.#store = openDB(this.#name, 1, { upgrade, blocking });
    this.#tabs = new BroadcastChannel(this.#name);
    this.#tabs.onmessage = () => this.#refresh();
    device.addEventListener("signed-out", () => this.#close());
    this.#refresh();
  }

  /** Run a task that only one tab at a time may run. Plain http has no locks; there the ids make repeats harmless. */
  exclusively(task) {
    return navigator.locks ? navigator.locks.request(this.#name, task) : task();
  }

  /** All unsent messages, in the order in which they were written. */
  async all() {
    await this.#refresh();
    return [...this.#messages.values()];
  }

  add(message) {
    return this.#change([message.id, message]);
  }

  remove(id) {
    return this.#change([id, null]);
  }

  /** The server refused the message; the person decides what to do with it. */
  fail(id, reason) {
    return this.#update(id, { reason });
  }

  retry(id) {
    return this.#update(id, { reason: null });
  }

  /** Remember which files of a message are uploaded. */
  setMedia(id, media) {
    return this.#update(id, { media: [...media] });
  }

  async changeId(id, newId) {
    const message = this.#messages.get(id);
    if (message) await this.#change([id, null], [newId, { ...message, id: newId }]);
  }

  async #update(id, changes) {
    const message = this.#messages.get(id);
    if (message) await this.#change([id, { ...message, ...changes }]);
  }

  /** Apply at once, then write. Null in place of a message removes it. */
  async #change(...changes) {
    for (const [id, message] of changes) this.#unwritten.set(id, message);
    this.#apply(this.#messages);
    await this.#write(changes);
  }

  /** If the disk is full or forbidden, a message may not survive a reload, but it is sent. */
  async #write(changes) {
    if (this.#device.isSignedOut) return;
    try {
      const { store, done } = (await this.#store).transaction(STORE, "readwrite");
      const requests = changes.map(([id, message]) => (message ? store.put(message) : store.delete(id)));
      await Promise.all([...requests, done]);
    } catch {
      return;
    }
    for (const [id, message] of changes) if (this.#unwritten.get(id) === message) this.#unwritten.delete(id);
    this.#tabs.postMessage("changed");
  }

  #close() {
    this.#tabs.close();
    this.#store.then((store) => store.close(), () => {});
  }

  async #refresh() {
    try {
      const kept = await (await this.#store).getAll(STORE);
      this.#apply(new Map(kept.map((message) => [message.id, message])));
    } catch {
      // Without a database there is nothing to read.
    }
  }

  /** Replace what is known, and emit what that changes. */
  #apply(kept) {
    const before = this.#messages;
    const messages = [...new Map([...kept, ...this.#unwritten]).values()].filter(Boolean);
    messages.sort((one, other) => one.written - other.written);
    this.#messages = new Map(messages.map((message) => [message.id, message]));
    for (const id of before.keys()) if (!this.#messages.has(id)) this.#emit("removed", { id });
    for (const message of messages) {
      const known = before.get(message.id);
      if (!known) this.#emit("added", message);
      else if (known.reason !== message.reason) this.#emit("changed", message);
    }
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
