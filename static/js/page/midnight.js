// At midnight "today" becomes "yesterday": updates the days on the page, also after the computer has slept.

import { localise } from "../text/format.js";

const INTERVAL_MS = 30_000;
const TIMES = "time[data-time=day], time[data-time=near]";

export class Midnight {
  #today = day();

  constructor() {
    setInterval(() => this.#check(), INTERVAL_MS);
    document.addEventListener("visibilitychange", () => this.#check());
    addEventListener("focus", () => this.#check());
  }

  #check() {
    if (day() === this.#today) return;
    this.#today = day();
    for (const time of document.querySelectorAll(TIMES)) localise(time);
  }
}

const day = () => new Date().toDateString();
