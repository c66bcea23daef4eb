// The changes of the open conversation, in the order of its versions and without gaps.

import { Backoff } from "./backoff.js";
import { mayRetry } from "./refusal.js";

export class Feed extends EventTarget {
  #api;
  #id;
  #version;
  #position;
  #isOutdated = false;
  #work = Promise.resolve();
  #backoff = new Backoff(() => this.catchUp());

  constructor(api, { id, version, position }) {
    super();
    this.#api = api;
    this.#id = id;
    this.#version = version;
    this.#position = position;
  }

  /** The highest position up to which nothing is missing. */
  get position() {
    return this.#position;
  }

  /** Receive an event: the next version is applied, an old one ignored; a gap means that events were missed. */
  receive({ conversation_id: id, version, message, changes }) {
    if (id !== this.#id) return;
    this.#queue(async () => {
      if (this.#isOutdated || version > this.#version + 1) await this.#fetch();
      else if (version === this.#version + 1) this.#apply(message ? [message] : [], version, changes);
    });
  }

  /** A backup was restored: the next catch-up fetches the latest messages anew, and emits them as `replaced`. */
  forget() {
    this.#isOutdated = true;
    this.#position = 0;
  }

  catchUp() {
    this.#queue(async () => {
      await this.#fetch();
      this.#backoff.reset();
    });
  }

  /** Fetch everything that changed since then, in its current state; the conversation comes with the last page. */
  async #fetch() {
    if (this.#isOutdated) await this.#fetchAnew();
    for (let more = true; more; ) {
      const { data, pagination } = await this.#api.changes(this.#id, this.#version);
      more = pagination.has_more;
      this.#apply(data.messages, more ? pagination.next : data.conversation.version);
      if (!more) this.#emit("conversation", data.conversation);
    }
  }

  /** Messages that are said between the two answers come again with the changes, which is harmless. */
  async #fetchAnew() {
    const conversation = await this.#api.conversation(this.#id);
    const { data, pagination } = await this.#api.messages(this.#id);
    this.#isOutdated = false;
    this.#version = conversation.version;
    this.#position = Math.max(0, ...data.map(({ position }) => position));
    this.#emit("replaced", { conversation, messages: data, pagination });
  }

  #apply(messages, version, changes) {
    this.#position = Math.max(this.#position, ...messages.map(({ position }) => position));
    this.#version = Math.max(this.#version, version);
    for (const message of messages) this.#emit("message", message);
    if (changes) this.#emit("changes", changes);
    this.dispatchEvent(new Event("progress"));
  }

  /** Run one task at a time. A task that fails leaves a gap, which a later one fills. */
  #queue(task) {
    this.#work = this.#work.then(task).catch((failure) => this.#handleFailure(failure));
  }

  /** Retry unless the refusal is final. "Not found" means that the reader is no longer in the conversation. */
  #handleFailure(failure) {
    if (mayRetry(failure)) this.#backoff.retryLater(failure.retryAfter);
    else if (failure.code === "not_found") this.dispatchEvent(new Event("gone"));
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
