// The draft of a message: saved by the server for all devices of the person, and in this tab until the server has it.

import { Backoff } from "../net/backoff.js";
import { mayRetry } from "../net/refusal.js";

const SAVE_AFTER_MS = 1000;

export class Draft extends EventTarget {
  #api;
  #id;
  #unsaved;
  #saved;
  #text;
  #sent = [];
  #isEditing = false;
  #timer = null;
  #work = Promise.resolve();
  #backoff = new Backoff(() => this.save());

  constructor(api, conversationId, saved, unsaved) {
    super();
    this.#api = api;
    this.#id = conversationId;
    this.#unsaved = unsaved;
    this.#saved = saved;
    this.#text = unsaved.read() || saved;
    if (this.#text !== saved) this.save();
    addEventListener("pagehide", () => this.save());
  }

  get text() {
    return this.#text;
  }

  write(text) {
    this.#isEditing = true;
    this.#set(text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), SAVE_AFTER_MS);
  }

  /** Nobody writes here at the moment: save, and accept changes by another device. */
  pause() {
    this.#isEditing = false;
    this.save();
  }

  clear() {
    this.#isEditing = false;
    this.#set("");
    this.save();
  }

  /** Receive the draft from the server: written by another device, or the echo of what this one has sent. */
  receive(text) {
    const known = this.#sent.indexOf(text);
    if (known >= 0) return void this.#sent.splice(0, known + 1);
    // A text that is not saved yet is newer than the server's, however long saving takes.
    const isUnsaved = this.#text !== this.#saved;
    this.#saved = text;
    if (this.#isEditing || isUnsaved || this.#text === text) return;
    this.#text = text;
    this.#unsaved.write("");
    this.dispatchEvent(new CustomEvent("changed", { detail: { text } }));
  }

  /** A backup was restored, and `saved` is the server's draft now: save what is written here again, or show that. */
  replaceSaved(saved) {
    this.#sent = [];
    if (!this.#text) return this.receive(saved);
    this.#saved = saved;
    this.save();
  }

  /** Save one after the other, so that the last text wins. */
  save() {
    clearTimeout(this.#timer);
    const retry = (failure) => mayRetry(failure) && this.#backoff.retryLater(failure.retryAfter);
    this.#work = this.#work.then(() => this.#send()).catch(retry);
    return this.#work;
  }

  async #send() {
    const text = this.#text;
    if (text !== this.#saved) {
      this.#sent.push(text);
      await this.#api.updateSettings(this.#id, { draft: text });
      this.#saved = text;
      this.#backoff.reset();
    }
    if (this.#text === text) this.#unsaved.write("");
  }

  #set(text) {
    this.#text = text;
    this.#unsaved.write(text);
  }
}
