// Sends the messages of the outbox to the server, one after the other, until each is acknowledged or refused.

import { Backoff } from "./backoff.js";
import { Refusal } from "./refusal.js";
import { upload } from "./upload.js";
import { v7 } from "../../vendor/uuid-14.0.3.js";

export class Sender extends EventTarget {
  #outbox;
  #socket;
  #api;
  #clockOffset = 0;
  #isBusy = false;
  #isWanted = false;
  #backoff = new Backoff(() => this.flush());

  constructor(outbox, socket, api) {
    super();
    this.#outbox = outbox;
    this.#socket = socket;
    this.#api = api;
    outbox.addEventListener("added", () => this.flush());
    socket.addEventListener("connected", ({ detail }) => {
      this.#clockOffset = Date.parse(detail.server_time) - Date.now();
      this.flush();
    });
  }

  /** Put a message into the outbox, with an id made by the server's clock. */
  send(conversationId, { text, replyTo = null, files = [] }) {
    const unsent = { id: this.#newId(), conversation_id: conversationId, text, reply_to_id: replyTo, files };
    this.#outbox.add({ ...unsent, media: [], written: Date.now(), reason: null });
  }

  retry(id) {
    this.#outbox.retry(id);
    this.flush();
  }

  /** Send everything in the outbox, also what is added meanwhile. Only one tab at a time does so. */
  async flush() {
    this.#isWanted = true;
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      while (this.#isWanted && this.#socket.ready) await this.#outbox.exclusively(() => this.#sendAll());
    } catch {
      // Whatever the failure was, the rest is sent later, under the same ids.
      this.#backoff.retryLater();
    } finally {
      this.#isBusy = false;
    }
  }

  async #sendAll() {
    this.#isWanted = false;
    for (let unsent = await this.#next(); unsent; unsent = await this.#next()) await this.#sendOne(unsent);
    this.#backoff.reset();
  }

  async #next() {
    return (await this.#outbox.all()).find(({ reason }) => !reason);
  }

  async #sendOne({ id, conversation_id, text, reply_to_id, files = [], media: uploaded = [] }) {
    try {
      const media = await this.#upload(id, files, uploaded);
      if (!media) return;
      const more = { ...(reply_to_id && { reply_to_id }), ...(media.length && { media }) };
      const message = await this.#submit({ id, conversation_id, text, ...more });
      this.dispatchEvent(new CustomEvent("delivered", { detail: message }));
      await this.#outbox.remove(id);
    } catch (refusal) {
      await this.#handleRefusal(id, refusal, uploaded);
    }
  }

  /** Upload the files of a message that are not uploaded yet. Returns null if it was discarded meanwhile. */
  async #upload(id, files, uploaded) {
    const [media, stop] = [[...uploaded], new AbortController()];
    const discarded = ({ detail }) => detail.id === id && stop.abort();
    this.#outbox.addEventListener("removed", discarded);
    try {
      for (const [n, file] of files.slice(uploaded.length).entries()) {
        const done = uploaded.length + n;
        const onProgress = (part) => this.#progress(id, (100 * (done + part)) / files.length);
        media.push(await upload(this.#api, file, { onProgress, signal: stop.signal }));
        await this.#outbox.setMedia(id, media);
      }
      return media;
    } catch (failure) {
      if (stop.signal.aborted) return null;
      throw failure;
    } finally {
      this.#outbox.removeEventListener("removed", discarded);
    }
  }

  #progress(id, progress) {
    this.dispatchEvent(new CustomEvent("progress", { detail: { id, progress } }));
  }

  /** A message that is too large for a frame is sent by REST. */
  #submit(message) {
    return this.#socket.request({ type: "message.send", ...message }).catch((refusal) => {
      if (refusal.code !== "too_large") throw refusal;
      return this.#api.send(message);
    });
  }

  async #handleRefusal(id, refusal, uploaded) {
    if (!(refusal instanceof Refusal)) throw refusal;
    if (refusal.isTemporary) return pause(refusal.retryAfter ?? 2);
    if (refusal.errors?.some(({ pointer }) => pointer === "/id")) return this.#outbox.changeId(id, this.#newId());
    // Uploads that are not sent expire after a day, and a restored backup may not have them. The files are still here.
    if (refusal.errors?.some(({ pointer }) => pointer === "/media")) {
      await this.#outbox.setMedia(id, []);
      if (uploaded.length) return;
    }
    return this.#outbox.fail(id, refusal.message || "This could not be sent.");
  }

  #newId() {
    return v7({ msecs: Date.now() + this.#clockOffset });
  }
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
