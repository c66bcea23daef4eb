// What happens in the open conversation, in the order of its versions and without holes.

import { Again } from "./backoff.js";
import { mayPass } from "./refusal.js";

export class Feed extends EventTarget {
  #api;
  #id;
  #version;
  #position;
  #work = Promise.resolve();
  #again = new Again(() => this.catchUp());

  constructor(api, { id, version, position }) {
    super();
    this.#api = api;
    this.#id = id;
    this.#version = version;
    this.#position = position;
  }

  /** The newest position up to which nothing is missing. */
  get position() {
    return this.#position;
  }

  /** The next version is applied, an old one ignored; a jump means that something was missed. */
  take({ conversation_id: id, version, message, changes }) {
    if (id !== this.#id) return;
    this.#queue(async () => {
      if (version > this.#version + 1) await this.#fetch();
      else if (version === this.#version + 1) this.#apply(message ? [message] : [], version, changes);
    });
  }

  catchUp() {
    this.#queue(async () => {
      await this.#fetch();
      this.#again.well();
    });
  }

  /** Everything that changed since, in its present state; the conversation itself comes with the last page. */
  async #fetch() {
    for (let more = true; more; ) {
      const { data, pagination } = await this.#api.changes(this.#id, this.#version);
      more = pagination.has_more;
      this.#apply(data.messages, more ? pagination.next : data.conversation.version);
      if (!more) this.#emit("conversation", data.conversation);
    }
  }

  #apply(messages, version, changes) {
    this.#position = Math.max(this.#position, ...messages.map(({ position }) => position));
    this.#version = Math.max(this.#version, version);
    for (const message of messages) this.#emit("message", message);
    if (changes) this.#emit("changes", changes);
    this.dispatchEvent(new Event("progress"));
  }

  /** One thing at a time; what fails leaves a hole, to be mended later. */
  #queue(task) {
    this.#work = this.#work.then(task).catch((failure) => this.#cope(failure));
  }

  /** Where the answer is no for good, nobody asks again: whoever is out of the conversation finds nothing. */
  #cope(failure) {
    if (mayPass(failure)) this.#again.later(failure.retryAfter);
    else if (failure.code === "not_found") this.dispatchEvent(new Event("gone"));
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
