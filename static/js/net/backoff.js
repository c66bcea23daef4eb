// Another try of what failed, after a pause that doubles up to a minute.

const [FIRST, LONGEST] = [2000, 60_000];

export class Again {
  #task;
  #tries = 0;
  #timer = null;

  constructor(task) {
    this.#task = task;
  }

  /** Try later, if that is not arranged already; the server may ask for `seconds` at least. */
  later(seconds = 0) {
    if (this.#timer) return;
    const ceiling = Math.min(LONGEST, FIRST * 2 ** this.#tries++);
    // Those who failed together should not come back together.
    const pause = ceiling * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => this.#try(), Math.max(pause, seconds * 1000));
  }

  /** It went well: no more tries, and a short pause the next time. */
  well() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#tries = 0;
  }

  #try() {
    this.#timer = null;
    this.#task();
  }
}
