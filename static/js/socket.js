// The one connection to the server: it comes back by itself, and gives every command its answer.

import { Refusal } from "./refusal.js";

const PATIENCE = 10_000;

export class Disconnected extends Error {}

export class Socket extends EventTarget {
  #url;
  #socket = null;
  #answers = new Map();
  #lastRef = 0;
  #attempt = 0;
  #timers = {};
  #ready = false;
  #ended = false;

  constructor(path) {
    super();
    this.#url = new URL(path, location.href.replace(/^http/, "ws"));
    addEventListener("online", () => this.#hurry());
    addEventListener("pageshow", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
  }

  get ready() {
    return this.#ready;
  }

  connect() {
    clearTimeout(this.#timers.retry);
    const socket = new WebSocket(this.#url);
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = ({ code }) => this.#lose(code);
    this.#socket = socket;
    this.#expect();
  }

  /** Send a command; the promise holds its ack, or fails with a Refusal or as Disconnected. */
  request(frame) {
    if (!this.#ready) return Promise.reject(new Disconnected());
    const ref = String(++this.#lastRef);
    return new Promise((resolve, reject) => {
      this.#answers.set(ref, { resolve, reject });
      this.#socket.send(JSON.stringify({ ...frame, ref }));
    });
  }

  /** Send a command that needs no answer; tell whether there was a line to send it on. */
  tell(frame) {
    if (this.#ready) this.#socket.send(JSON.stringify(frame));
    return this.#ready;
  }

  #hear({ type, ref, data }) {
    clearTimeout(this.#timers.silence);
    if (type === "connected") this.#welcome(data);
    else if (this.#answers.has(ref)) this.#answer(ref, type, data);
    else this.#emit(type, data);
  }

  #answer(ref, type, data) {
    const { resolve, reject } = this.#answers.get(ref);
    this.#answers.delete(ref);
    if (type === "error") reject(new Refusal(data));
    else resolve(data);
  }

  #welcome(data) {
    this.#ready = true;
    this.#attempt = 0;
    this.#timers.beat = setInterval(() => this.#beat(), data.heartbeat_seconds * 1000);
    this.#emit("connected", data);
  }

  #beat() {
    this.request({ type: "ping" }).catch(() => {});
    this.#expect();
  }

  #expect() {
    clearTimeout(this.#timers.silence);
    this.#timers.silence = setTimeout(() => this.#lose(1006), PATIENCE);
  }

  #lose(code) {
    this.#drop();
    this.#ended = code >= 4500 && code < 4600;
    this.#emit("lost", { code, ended: this.#ended });
    if (!this.#ended) this.#timers.retry = setTimeout(() => this.connect(), this.#delay());
  }

  /** A dead network may hold a closing handshake for minutes, so nobody waits for it. */
  #drop() {
    Object.values(this.#timers).forEach(clearTimeout);
    this.#ready = false;
    this.#socket.onclose = this.#socket.onmessage = null;
    this.#socket.close();
    this.#socket = null;
    const waiting = [...this.#answers.values()];
    this.#answers.clear();
    for (const { reject } of waiting) reject(new Disconnected());
  }

  /** Full jitter: anywhere between half a second and a ceiling that doubles up to thirty. */
  #delay() {
    const ceiling = Math.min(30_000, 1000 * 2 ** this.#attempt++);
    return 500 + Math.random() * (ceiling - 500);
  }

  #hurry() {
    if (!this.#socket && !this.#ended) this.connect();
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
