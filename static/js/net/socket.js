// The WebSocket to the server. It reconnects by itself and resolves every command with its answer.

import { Disconnected, PendingAnswers } from "./pending.js";

const SILENCE_LIMIT_MS = 10_000;
const SIGNED_OUT = 4503;

export class Socket extends EventTarget {
  #url;
  #userId;
  #generation;
  #socket = null;
  #pending = new PendingAnswers();
  #attempt = 0;
  #timers = {};
  #ready = false;
  #ended = false;

  /** `generation` is that of the database on which the page is based. */
  constructor(path, userId, generation) {
    super();
    this.#userId = userId;
    this.#generation = generation;
    this.#url = new URL(path, location.href.replace(/^http/, "ws"));
    addEventListener("online", () => this.#reconnectNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.#reconnectNow());
  }

  get ready() {
    return this.#ready;
  }

  connect() {
    clearTimeout(this.#timers.retry);
    this.#socket = new WebSocket(this.#url);
    this.#socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    this.#socket.onclose = ({ code }) => this.#disconnect(code);
    this.#expectFrame();
  }

  /** Close the connection for good. */
  end() {
    if (this.#socket) this.#close();
    clearTimeout(this.#timers.retry);
    this.#ended = true;
    this.#emit("lost", { code: SIGNED_OUT, ended: true });
  }

  /** Send a command. The promise resolves with its ack, or rejects with a Refusal or Disconnected. */
  request(frame) {
    if (!this.#ready) return Promise.reject(new Disconnected());
    const { ref, answer } = this.#pending.expect();
    this.#socket.send(JSON.stringify({ ...frame, ref }));
    return answer;
  }

  /** Send a command that needs no answer. Returns false without a connection. */
  send(frame) {
    if (this.#ready) this.#socket.send(JSON.stringify(frame));
    return this.#ready;
  }

  #receive(frame) {
    clearTimeout(this.#timers.silence);
    if (frame.type === "connected") this.#start(frame.data);
    else if (!this.#pending.resolve(frame)) this.#emit(frame.type, frame.data);
  }

  /** The cookie may belong to another person by now: then reload, so that nothing is sent in their name. */
  #start(data) {
    if (data.user.id !== this.#userId) return location.reload();
    this.#ready = true;
    this.#attempt = 0;
    this.#timers.ping = setInterval(() => this.#ping(), data.heartbeat_seconds * 1000);
    this.#compareGeneration(data.generation);
    this.#emit("connected", data);
  }

  /** A backup was restored on the server: versions and positions were turned back, so that none may be compared. */
  #compareGeneration(generation) {
    const isAnother = this.#generation && generation !== this.#generation;
    this.#generation = generation;
    if (isAnother) this.#emit("restored");
  }

  #ping() {
    this.request({ type: "ping" }).catch(() => {});
    this.#expectFrame();
  }

  #expectFrame() {
    clearTimeout(this.#timers.silence);
    this.#timers.silence = setTimeout(() => this.#disconnect(1006), SILENCE_LIMIT_MS);
  }

  #disconnect(code) {
    this.#close();
    this.#ended = code >= 4500 && code < 4600;
    this.#emit("lost", { code, ended: this.#ended });
    if (!this.#ended) this.#timers.retry = setTimeout(() => this.connect(), this.#delay());
  }

  /** Do not wait for the closing handshake: on a dead network it may take minutes. */
  #close() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#ready = false;
    this.#socket.onclose = this.#socket.onmessage = null;
    this.#socket.close();
    this.#socket = null;
    this.#pending.rejectAll();
  }

  /** Full jitter: between half a second and a ceiling that doubles up to 30 seconds. */
  #delay() {
    const ceiling = Math.min(30_000, 1000 * 2 ** this.#attempt++);
    return 500 + Math.random() * (ceiling - 500);
  }

  /** The network or the reader is back: connect now, or check now whether the connection is still alive. */
  #reconnectNow() {
    if (this.#ready) this.#ping();
    else if (!this.#socket && !this.#ended) this.connect();
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
