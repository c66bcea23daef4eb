// Shows which people on the page are online, and when the others were last seen.

import { ago } from "../text/format.js";

const RETRY_MS = 10_000;
const MINUTE_MS = 60_000;

export class Presence {
  #elements;
  #socket;
  #phrases;
  #known = new Map();
  #retry;

  constructor(elements, socket, phrases) {
    this.#elements = [...elements];
    this.#socket = socket;
    this.#phrases = phrases;
    if (!this.#elements.length) return;
    socket.addEventListener("connected", () => this.#watch());
    socket.addEventListener("lost", () => this.#allOffline());
    socket.addEventListener("presence", ({ detail }) => this.#receive(detail));
    setInterval(() => this.#draw(), MINUTE_MS);
  }

  async #watch() {
    clearTimeout(this.#retry);
    const user_ids = [...new Set(this.#elements.map(({ dataset }) => dataset.presence))];
    try {
      const { online, last_seen: seen } = await this.#socket.request({ type: "presence.watch", user_ids });
      this.#known = new Map(Object.entries(seen).map(([id, when]) => [id, { online: online.includes(id), when }]));
      this.#draw();
    } catch {
      // Without a connection the next one asks again; a refusal is retried here.
      this.#retry = setTimeout(() => this.#socket.ready && this.#watch(), RETRY_MS);
    }
  }

  #receive({ user_id: id, online, last_seen: when }) {
    this.#known.set(id, { online, when });
    this.#draw();
  }

  /** Without a connection nobody's presence is known. */
  #allOffline() {
    for (const known of this.#known.values()) known.online = false;
    this.#draw();
  }

  #draw() {
    for (const element of this.#elements) this.#show(element, this.#known.get(element.dataset.presence));
  }

  #show(element, { online = false, when = null } = {}) {
    const seen = when && this.#phrases.get("seen", { when: ago(when) });
    element.textContent = online ? this.#phrases.get("online") : (seen ?? "");
    element.classList.toggle("presence--online", online);
    element.hidden = !element.textContent;
  }
}
