// Carries letters from the outbox to the server, one after the other, until each is acknowledged or refused.

import { Refusal } from "./refusal.js";
import { v7 } from "../vendor/uuid-14.0.3.js";

const PASSING = new Set(["rate_limited", "too_fast", "unavailable"]);

export class Courier extends EventTarget {
  #outbox;
  #socket;
  #api;
  #behind = 0;
  #busy = false;

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
  post(conversationId, text) {
    this.#outbox.add({ id: this.#name(), conversation_id: conversationId, text, written: Date.now(), reason: null });
  }

  retry(id) {
    this.#outbox.retry(id);
    this.flush();
  }

  async flush() {
    if (this.#busy || !this.#socket.ready) return;
    this.#busy = true;
    try {
      for (let letter = await this.#next(); letter; letter = await this.#next()) await this.#carry(letter);
    } catch {
      // The line is gone: what is left goes out, under the same ids, when it is back.
    } finally {
      this.#busy = false;
    }
  }

  async #next() {
    return (await this.#outbox.all()).find(({ reason }) => !reason);
  }

  async #carry({ id, conversation_id, text }) {
    try {
      const message = await this.#hand({ id, conversation_id, text });
      this.dispatchEvent(new CustomEvent("delivered", { detail: message }));
      this.#outbox.remove(id);
    } catch (refusal) {
      await this.#cope(id, refusal);
    }
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
    if (PASSING.has(refusal.code)) return pause(refusal.retryAfter ?? 2);
    if (refusal.errors?.some(({ pointer }) => pointer === "/id")) return this.#outbox.rename(id, this.#name());
    this.#outbox.fail(id, refusal.message || "This could not be sent.");
  }

  #name() {
    return v7({ msecs: Date.now() + this.#behind });
  }
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
