// Says of the people on the page who is here, and when the others were.

import { ago } from "../text/format.js";

const AGAIN = 10_000;
const MINUTE = 60_000;

export class Presence {
  #places;
  #socket;
  #words;
  #known = new Map();
  #retry;

  constructor(places, socket, words) {
    this.#places = [...places];
    this.#socket = socket;
    this.#words = words;
    if (!this.#places.length) return;
    socket.addEventListener("connected", () => this.#watch());
    socket.addEventListener("lost", () => this.#forget());
    socket.addEventListener("presence", ({ detail }) => this.#learn(detail));
    setInterval(() => this.#draw(), MINUTE);
  }

  async #watch() {
    clearTimeout(this.#retry);
    const user_ids = [...new Set(this.#places.map(({ dataset }) => dataset.presence))];
    try {
      const { online, last_seen: seen } = await this.#socket.request({ type: "presence.watch", user_ids });
      this.#known = new Map(Object.entries(seen).map(([id, when]) => [id, { online: online.includes(id), when }]));
      this.#draw();
    } catch {
      // Without a line the next connection asks; what was refused is asked again.
      this.#retry = setTimeout(() => this.#socket.ready && this.#watch(), AGAIN);
    }
  }

  #learn({ user_id: id, online, last_seen: when }) {
    this.#known.set(id, { online, when });
    this.#draw();
  }

  /** Without a line nobody can tell. */
  #forget() {
    for (const known of this.#known.values()) known.online = false;
    this.#draw();
  }

  #draw() {
    for (const place of this.#places) this.#show(place, this.#known.get(place.dataset.presence));
  }

  #show(place, { online = false, when = null } = {}) {
    const seen = when && this.#words.say("seen", { when: ago(when) });
    place.textContent = online ? this.#words.say("online") : (seen ?? "");
    place.classList.toggle("presence--online", online);
    place.hidden = !place.textContent;
  }
}
