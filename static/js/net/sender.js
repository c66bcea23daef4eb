// Carries letters from the outbox to the server, one after the other, until each is acknowledged or refused.

import { Again } from "./backoff.js";
import { Refusal } from "./refusal.js";
import { upload } from "./upload.js";
import { v7 } from "../../vendor/uuid-14.0.3.js";

export class Courier extends EventTarget {
  #outbox;
  #socket;
  #api;
  #behind = 0;
  #busy = false;
  #wanted = false;
  #again = new Again(() => this.flush());

  constructor(outbox, socket, api) {
    super();
    this.#outbox = outbox;
    this.#socket = socket;
    this.#api = api;
    outbox.addEventListener("added", () => this.flush());
    socket.addEventListener("connected", ({ detail }) => {
      this.#behind = Date.parse(detail.server_time) - Date.now();
      this.flush();
    });
  }

  /** Name a letter by the server's clock, and put it into the outbox. */
  post(conversationId, { text, replyTo = null, files = [] }) {
    const letter = { id: this.#name(), conversation_id: conversationId, text, reply_to_id: replyTo, files };
    this.#outbox.add({ ...letter, media: [], written: Date.now(), reason: null });
  }

  retry(id) {
    this.#outbox.retry(id);
    this.flush();
  }

  /** Carry all there is; what is added meanwhile is carried too, by whichever tab has its turn. */
  async flush() {
    this.#wanted = true;
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#wanted && this.#socket.ready) await this.#outbox.alone(() => this.#walk());
    } catch {
      // Whatever it was, what is left goes out later, under the same ids.
      this.#again.later();
    } finally {
      this.#busy = false;
    }
  }

  async #walk() {
    this.#wanted = false;
    for (let letter = await this.#next(); letter; letter = await this.#next()) await this.#carry(letter);
    this.#again.well();
  }

  async #next() {
    return (await this.#outbox.all()).find(({ reason }) => !reason);
  }

  async #carry({ id, conversation_id, text, reply_to_id, files = [], media: sent = [] }) {
    try {
      const media = await this.#upload(id, files, sent);
      if (!media) return;
      const more = { ...(reply_to_id && { reply_to_id }), ...(media.length && { media }) };
      const message = await this.#hand({ id, conversation_id, text, ...more });
      this.dispatchEvent(new CustomEvent("delivered", { detail: message }));
      await this.#outbox.remove(id);
    } catch (refusal) {
      await this.#cope(id, refusal);
    }
  }

  /** Bring the files of a letter to the server, those that are not there yet; null if it was discarded meanwhile. */
  async #upload(id, files, sent) {
    const [media, stop] = [[...sent], new AbortController()];
    const discarded = ({ detail }) => detail.id === id && stop.abort();
    this.#outbox.addEventListener("removed", discarded);
    try {
      for (const [n, file] of files.slice(sent.length).entries()) {
        const done = sent.length + n;
        const tell = (part) => this.#progress(id, (100 * (done + part)) / files.length);
        media.push(await upload(this.#api, file, { tell, signal: stop.signal }));
        await this.#outbox.load(id, media);
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

  /** What is too large for a frame goes by REST. */
  #hand(message) {
    return this.#socket.request({ type: "message.send", ...message }).catch((refusal) => {
      if (refusal.code !== "too_large") throw refusal;
      return this.#api.send(message);
    });
  }

  async #cope(id, refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    if (refusal.passing) return pause(refusal.retryAfter ?? 2);
    if (refusal.errors?.some(({ pointer }) => pointer === "/id")) return this.#outbox.rename(id, this.#name());
    // What was uploaded a day ago is not there any more: the files still are.
    if (refusal.errors?.some(({ pointer }) => pointer === "/media")) await this.#outbox.load(id, []);
    return this.#outbox.fail(id, refusal.message || "This could not be sent.");
  }

  #name() {
    return v7({ msecs: Date.now() + this.#behind });
  }
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
