// The REST API, called with the page's cookie and CSRF token.

import { Refusal } from "./refusal.js";

const ANSWER_LIMIT_MS = 30_000;
// How long a read may take until its answer begins. After that the connection is probably dead, and callers retry.
const READ_LIMIT_MS = 10_000;

export class Api {
  #root;
  #token;
  /** Whose page this is. The cookie may belong to another person by now: then the server refuses the request. */
  #identity;

  constructor(root, token) {
    this.#root = root;
    this.#token = token;
    const { userId } = document.documentElement.dataset;
    this.#identity = userId ? { "X-User-ID": userId } : {};
  }

  get(path, query = {}) {
    return this.#request(`${path}?${new URLSearchParams(query)}`, { firstByteMs: READ_LIMIT_MS });
  }

  #write(method, path, body, options = {}) {
    const headers = { "X-CSRFToken": this.#token, ...(body && { "Content-Type": "application/json" }) };
    return this.#request(path, { method, headers, ...(body && { body: JSON.stringify(body) }), ...options });
  }

  /** The answer must begin within `firstByteMs` milliseconds and be complete within half a minute. */
  async #request(path, { firstByteMs = ANSWER_LIMIT_MS, headers, ...options }) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), firstByteMs);
    const signal = AbortSignal.any([late.signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]);
    const sent = { ...this.#identity, ...headers };
    const answer = await fetch(this.#root + path, { credentials: "same-origin", signal, headers: sent, ...options });
    clearTimeout(timer);
    const body = answer.status === 204 ? {} : await answer.json();
    if (!answer.ok) throw new Refusal(body);
    return body;
  }

  conversations(archived = false) {
    return this.get("/conversations", { limit: 100, archived });
  }

  async conversation(id) {
    return (await this.get(`/conversations/${id}`)).data;
  }

  /** What changed in a conversation after a version, in its current state. */
  changes(id, after) {
    return this.get(`/conversations/${id}/changes`, { after, limit: 100 });
  }

  /** A page of the members of a conversation. */
  members(id, cursor) {
    return this.get(`/conversations/${id}/participants`, { limit: 100, ...(cursor && { cursor }) });
  }

  /** Change the reader's own settings of a conversation. `keepalive` lets the request outlive the page. */
  updateSettings(id, changes) {
    return this.#write("PATCH", `/conversations/${id}/me`, changes, { keepalive: true });
  }

  /** The message that a wallet must sign to prove who owns it. */
  async walletMessage(address) {
    return (await this.#write("POST", "/auth/wallet/nonce", { address })).data.message;
  }

  /** The person who is signed in. */
  async me() {
    return (await this.get("/users/me")).data;
  }

  async user(id) {
    return (await this.get(`/users/${id}`)).data;
  }

  /** People by the beginning of a name: all, or only those the reader may `write` to or `add` to groups. */
  async search(text, purpose) {
    return (await this.get("/users", { search: text, limit: 8, ...(purpose && { for: purpose }) })).data;
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

  /** Set the picture of the reader or of a group; null removes it. */
  setAvatar(path, id) {
    return this.#write("PATCH", path, { avatar_media_id: id });
  }

  /** Ask where a file may be uploaded to. */
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

  /** Add the reader's reaction to a message, or remove it. */
  async react(id, emoji, isAdded) {
    const path = `/messages/${id}/reactions/${encodeURIComponent(emoji)}`;
    return (await this.#write(isAdded ? "PUT" : "DELETE", path)).data;
  }
}
