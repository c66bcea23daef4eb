// The REST door, with the page's cookie and its CSRF token.

import { Refusal } from "./refusal.js";

const PATIENCE = 30_000;

export class Api {
  #root;
  #token;

  constructor(root, token) {
    this.#root = root;
    this.#token = token;
  }

  get(path, query = {}) {
    return this.#ask(`${path}?${new URLSearchParams(query)}`, {});
  }

  post(path, body) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": this.#token };
    return this.#ask(path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  async #ask(path, options) {
    const signal = AbortSignal.timeout(PATIENCE);
    const answer = await fetch(this.#root + path, { credentials: "same-origin", signal, ...options });
    const body = await answer.json();
    if (!answer.ok) throw new Refusal(body);
    return body;
  }

  conversations() {
    return this.get("/conversations", { limit: 100 });
  }

  conversation(id) {
    return this.get(`/conversations/${id}`);
  }

  async send(message) {
    return (await this.post("/messages", message)).data;
  }

  /** A page of messages, oldest first: `before` or `after` a position, or the latest. */
  messages(id, query) {
    return this.get(`/messages/conversation/${id}`, { limit: 50, ...query });
  }
}
