// What is half written: kept by the server for all of a person's devices, and in this tab until the server has it.

import { Again } from "../net/backoff.js";
import { mayPass } from "../net/refusal.js";

const PAUSE = 1000;

export class Draft extends EventTarget {
  #api;
  #id;
  #unsaved;
  #saved;
  #wanted;
  #said = [];
  #touched = false;
  #timer = null;
  #work = Promise.resolve();
  #again = new Again(() => this.save());

  constructor(api, conversationId, saved, unsaved) {
    super();
    this.#api = api;
    this.#id = conversationId;
    this.#unsaved = unsaved;
    this.#saved = saved;
    this.#wanted = unsaved.read() || saved;
    if (this.#wanted !== saved) this.save();
    addEventListener("pagehide", () => this.save());
  }

  get text() {
    return this.#wanted;
  }

  write(text) {
    this.#touched = true;
    this.#keep(text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), PAUSE);
  }

  /** Nobody writes here at the moment: save, and let another device go on. */
  rest() {
    this.#touched = false;
    this.save();
  }

  clear() {
    this.#touched = false;
    this.#keep("");
    this.save();
  }

  /** Another device has written, or this one some time ago, which is no news. */
  hear(text) {
    const known = this.#said.indexOf(text);
    if (known >= 0) return void this.#said.splice(0, known + 1);
    // What is written here and not saved yet is newer than what the server has, however long saving it takes.
    const isUnsaved = this.#wanted !== this.#saved;
    this.#saved = text;
    if (this.#touched || isUnsaved || this.#wanted === text) return;
    this.#wanted = text;
    this.#unsaved.write("");
    this.dispatchEvent(new CustomEvent("elsewhere", { detail: { text } }));
  }

  /** One after the other, so that the last one stays. */
  save() {
    clearTimeout(this.#timer);
    this.#work = this.#work.then(() => this.#send()).catch((failure) => mayPass(failure) && this.#again.later(failure.retryAfter));
    return this.#work;
  }

  async #send() {
    const text = this.#wanted;
    if (text !== this.#saved) {
      this.#said.push(text);
      await this.#api.settle(this.#id, { draft: text });
      this.#saved = text;
      this.#again.well();
    }
    if (this.#wanted === text) this.#unsaved.write("");
  }

  #keep(text) {
    this.#wanted = text;
    this.#unsaved.write(text);
  }
}
