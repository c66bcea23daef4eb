// Who waits for which answer: a command carries a ref, and its answer brings it back.

import { Refusal } from "./refusal.js";

export class Disconnected extends Error {}

export class Answers {
  #waiting = new Map();
  #last = 0;

  /** A new ref, and the promise of its answer. */
  expect() {
    const ref = String(++this.#last);
    const answer = new Promise((resolve, reject) => this.#waiting.set(ref, { resolve, reject }));
    return { ref, answer };
  }

  /** Take a frame if it answers something; tell whether it did. */
  take({ type, ref, data }) {
    const waiting = this.#waiting.get(ref);
    if (!waiting) return false;
    this.#waiting.delete(ref);
    if (type === "error") waiting.reject(new Refusal(data));
    else waiting.resolve(data);
    return true;
  }

  /** No answer will come any more. */
  abandon() {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new Disconnected());
  }
}
