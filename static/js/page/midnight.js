// At midnight "today" becomes "yesterday": the days on the page are named anew, also after the computer has slept.

import { localise } from "../text/format.js";

const OFTEN = 30_000;
const NAMED = "time[data-time=day], time[data-time=near]";

export class Midnight {
  #today = day();

  constructor() {
    setInterval(() => this.#look(), OFTEN);
    document.addEventListener("visibilitychange", () => this.#look());
    addEventListener("focus", () => this.#look());
  }

  #look() {
    if (day() === this.#today) return;
    this.#today = day();
    for (const time of document.querySelectorAll(NAMED)) localise(time);
  }
}

const day = () => new Date().toDateString();
