// The one connection to the server: it comes back by itself, and gives every command its answer.

import { Answers, Disconnected } from "./pending.js";

const PATIENCE = 10_000;
const SIGNED_OUT = 4503;

export class Socket extends EventTarget {
  #url;
  #userId;
  #socket = null;
  #answers = new Answers();
  #attempt = 0;
  #timers = {};
  #ready = false;
  #ended = false;

  constructor(path, userId) {
    super();
    this.#userId = userId;
    this.#url = new URL(path, location.href.replace(/^http/, "ws"));
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
  }

  get ready() {
    return this.#ready;
  }

  connect() {
    clearTimeout(this.#timers.retry);
    this.#socket = new WebSocket(this.#url);
    this.#socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    this.#socket.onclose = ({ code }) => this.#lose(code);
    this.#expectSoon();
  }

  /** Close the connection for good. */
  end() {
    if (this.#socket) this.#drop();
    clearTimeout(this.#timers.retry);
    this.#ended = true;
    this.#emit("lost", { code: SIGNED_OUT, ended: true });
  }

  /** Send a command; the promise holds its ack, or fails with a Refusal or as Disconnected. */
  request(frame) {
    if (!this.#ready) return Promise.reject(new Disconnected());
    const { ref, answer } = this.#answers.expect();
    this.#socket.send(JSON.stringify({ ...frame, ref }));
    return answer;
  }

  /** Send a command that needs no answer; tell whether there was a line to send it on. */
  tell(frame) {
    if (this.#ready) this.#socket.send(JSON.stringify(frame));
    return this.#ready;
  }

  #hear(frame) {
    clearTimeout(this.#timers.silence);
    if (frame.type === "connected") this.#welcome(frame.data);
    else if (!this.#answers.take(frame)) this.#emit(frame.type, frame.data);
  }

  /** The cookie may be another person's by now: nothing of this page goes out in their name. */
  #welcome(data) {
    if (data.user.id !== this.#userId) return location.reload();
    this.#ready = true;
    this.#attempt = 0;
    this.#timers.beat = setInterval(() => this.#beat(), data.heartbeat_seconds * 1000);
    this.#emit("connected", data);
  }

  #beat() {
    this.request({ type: "ping" }).catch(() => {});
    this.#expectSoon();
  }

  #expectSoon() {
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
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#ready = false;
    this.#socket.onclose = this.#socket.onmessage = null;
    this.#socket.close();
    this.#socket = null;
    this.#answers.abandon();
  }

  /** Full jitter: anywhere between half a second and a ceiling that doubles up to thirty. */
  #delay() {
    const ceiling = Math.min(30_000, 1000 * 2 ** this.#attempt++);
    return 500 + Math.random() * (ceiling - 500);
  }

  /** The network, or the reader, is back: connect at once, or find out at once whether the connection still stands. */
  #hurry() {
    if (this.#ready) this.#beat();
    else if (!this.#socket && !this.#ended) this.connect();
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
