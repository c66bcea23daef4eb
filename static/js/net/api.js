// The REST door, with the page's cookie and its CSRF token.

import { Refusal } from "./refusal.js";

const PATIENCE = 30_000;
// How long until the answer to a question begins: a connection that died in silence is given up, and it is asked again.
const READING_PATIENCE = 10_000;

export class Api {
  #root;
  #token;
  /** Whose page this is: the cookie may be another person's by now, and then nothing is done. */
  #whose;

  constructor(root, token) {
    this.#root = root;
    this.#token = token;
    const { userId } = document.documentElement.dataset;
    this.#whose = userId ? { "X-User-ID": userId } : {};
  }

  get(path, query = {}) {
    return this.#ask(`${path}?${new URLSearchParams(query)}`, { begins: READING_PATIENCE });
  }

  #write(method, path, body, options = {}) {
    const headers = { "X-CSRFToken": this.#token, ...(body && { "Content-Type": "application/json" }) };
    return this.#ask(path, { method, headers, ...(body && { body: JSON.stringify(body) }), ...options });
  }

  /** An answer has to begin within `begins` milliseconds, and to be whole within half a minute. */
  async #ask(path, { begins = PATIENCE, headers, ...options }) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), begins);
    const signal = AbortSignal.any([late.signal, AbortSignal.timeout(PATIENCE)]);
    const sent = { ...this.#whose, ...headers };
    const answer = await fetch(this.#root + path, { credentials: "same-origin", signal, headers: sent, ...options });
    clearTimeout(timer);
    const body = answer.status === 204 ? {} : await answer.json();
    if (!answer.ok) throw new Refusal(body);
    return body;
  }

  conversations(archived = false) {
    return this.get("/conversations", { limit: 100, archived });
  }

  /** What changed in a conversation after a version, in its present state. */
  changes(id, after) {
    return this.get(`/conversations/${id}/changes`, { after, limit: 100 });
  }

  /** A page of those who are in a conversation. */
  members(id, cursor) {
    return this.get(`/conversations/${id}/participants`, { limit: 100, ...(cursor && { cursor }) });
  }

  /** Settle something of one's own place; it may be the last thing that a page does. */
  settle(id, what) {
    return this.#write("PATCH", `/conversations/${id}/me`, what, { keepalive: true });
  }

  /** What a wallet is to sign, to show whose it is. */
  async walletMessage(address) {
    return (await this.#write("POST", "/auth/wallet/nonce", { address })).data.message;
  }

  /** Oneself. */
  async me() {
    return (await this.get("/users/me")).data;
  }

  async user(id) {
    return (await this.get(`/users/${id}`)).data;
  }

  /** People by the beginning of a name: all, or those to whom one may `write`, or whom one may `add` to groups. */
  async search(text, act) {
    return (await this.get("/users", { search: text, limit: 8, ...(act && { for: act }) })).data;
  }

  async message(id) {
    return (await this.get(`/messages/${id}`)).data;
  }

  /** A page of messages, oldest first: `before` or `after` a position, or the latest. */
  messages(id, query) {
    return this.get(`/messages/conversation/${id}`, { limit: 50, ...query });
  }

  async send(message) {
    return (await this.#write("POST", "/messages", message)).data;
  }

  /** Let a picture stand for oneself, or a group; null for none. */
  portray(path, id) {
    return this.#write("PATCH", path, { avatar_media_id: id });
  }

  /** Ask for a place for a file. */
  async beginUpload({ name, type, size }) {
    return (await this.#write("POST", "/media/uploads", { filename: name, content_type: type, size })).data;
  }

  async completeUpload(id) {
    return (await this.#write("POST", `/media/${id}/complete`)).data;
  }

  async mediaState(id) {
    return (await this.get(`/media/${id}/state`)).data;
  }

  async edit(id, text) {
    return (await this.#write("PATCH", `/messages/${id}`, { text })).data;
  }

  delete(id) {
    return this.#write("DELETE", `/messages/${id}`);
  }

  /** Let an emoji of one's own stand under a message, or not. */
  async react(id, emoji, stands) {
    const path = `/messages/${id}/reactions/${encodeURIComponent(emoji)}`;
    return (await this.#write(stands ? "PUT" : "DELETE", path)).data;
  }
}
