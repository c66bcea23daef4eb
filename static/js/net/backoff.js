// Retries a task that failed, after a pause that doubles up to a minute.

const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [2000, 60_000];

export class Backoff {
  #task;
  #tries = 0;
  #timer = null;

  constructor(task) {
    this.#task = task;
  }

  /** Schedule a retry, unless one is scheduled. The server may ask for a pause of at least `seconds`. */
  retryLater(seconds = 0) {
    if (this.#timer) return;
    const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#tries++);
    // Random, so that clients that failed together do not retry together.
    const pause = ceiling * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => this.#retry(), Math.max(pause, seconds * 1000));
  }

  /** The task succeeded: cancel the retry, and begin with a short pause the next time. */
  reset() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#tries = 0;
  }

  #retry() {
    this.#timer = null;
    this.#task();
  }
}
