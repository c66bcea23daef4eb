// What happens in the open conversation, in the order of its versions and without holes.

import { Again } from "./again.js";
import { Refusal } from "./refusal.js";

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
  take({ conversation_id: id, version, message }) {
    if (id !== this.#id) return;
    this.#queue(async () => {
      if (version > this.#version + 1) await this.#fetch(version);
      else if (version === this.#version + 1) this.#apply(message ? [message] : [], version);
    });
  }

  catchUp() {
    this.#queue(async () => {
      const { data } = await this.#api.conversation(this.#id);
      await this.#fetch(data.version);
      this.#again.well();
    });
  }

  async #fetch(version) {
    for (let more = true; more; ) {
      const page = await this.#api.messages(this.#id, { after: this.#position, limit: 100 });
      more = page.pagination.has_more;
      this.#apply(page.data, more ? this.#version : version);
    }
  }

  #apply(messages, version) {
    this.#position = Math.max(this.#position, ...messages.map(({ position }) => position));
    this.#version = Math.max(this.#version, version);
    for (const message of messages) this.dispatchEvent(new CustomEvent("message", { detail: message }));
    this.dispatchEvent(new Event("progress"));
  }

  /** One thing at a time; what fails leaves a hole, to be mended later. */
  #queue(task) {
    this.#work = this.#work.then(task).catch((failure) => this.#cope(failure));
  }

  /** Who is told no for good, as a stranger is, does not ask again. */
  #cope(failure) {
    if (!(failure instanceof Refusal) || failure.passing) this.#again.later(failure.retryAfter);
  }
}
