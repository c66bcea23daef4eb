// Who waits for which answer: a command carries a ref, and its answer brings it back.

import { Refusal } from "./refusal.js";

const PATIENCE = 15_000;

export class Disconnected extends Error {}

export class Answers {
  #waiting = new Map();
  #last = 0;

  /** A new ref, and the promise of its answer; one that takes too long counts as never sent. */
  expect() {
    const ref = String(++this.#last);
    const answer = new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#part(ref).reject(new Disconnected()), PATIENCE);
      this.#waiting.set(ref, { resolve, reject, timer });
    });
    return { ref, answer };
  }

  /** Take a frame if it answers something; tell whether it did. */
  take({ type, ref, data }) {
    const waiting = this.#part(ref);
    if (!waiting) return false;
    if (type === "error") waiting.reject(new Refusal(data));
    else waiting.resolve(data);
    return true;
  }

  /** No answer will come any more. */
  abandon() {
    for (const ref of [...this.#waiting.keys()]) this.#part(ref).reject(new Disconnected());
  }

  #part(ref) {
    const waiting = this.#waiting.get(ref);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(ref);
    return waiting;
  }
}
