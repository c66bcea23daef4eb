// Commands that wait for their answers: a command carries a `ref`, and its answer repeats it.

import { Refusal } from "./refusal.js";

const ANSWER_LIMIT_MS = 15_000;

export class Disconnected extends Error {}

export class PendingAnswers {
  #waiting = new Map();
  #last = 0;

  /** Make a new ref and the promise of its answer. Without an answer in time the command counts as not sent. */
  expect() {
    const ref = String(++this.#last);
    const answer = new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#remove(ref).reject(new Disconnected()), ANSWER_LIMIT_MS);
      this.#waiting.set(ref, { resolve, reject, timer });
    });
    return { ref, answer };
  }

  /** Settle the promise that a frame answers. Returns false if the frame is no answer. */
  resolve({ type, ref, data }) {
    const waiting = this.#remove(ref);
    if (!waiting) return false;
    if (type === "error") waiting.reject(new Refusal(data));
    else waiting.resolve(data);
    return true;
  }

  /** Reject all promises: the connection is lost. */
  rejectAll() {
    for (const ref of [...this.#waiting.keys()]) this.#remove(ref).reject(new Disconnected());
  }

  #remove(ref) {
    const waiting = this.#waiting.get(ref);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(ref);
    return waiting;
  }
}
