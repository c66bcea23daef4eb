// Clears the page when its person has signed out in another tab or on another device.

import { mayRetry } from "../net/refusal.js";

const [UNKNOWN, SIGNED_OUT] = [4501, 4503];

export class SessionEnd {
  #device;
  #socket;
  #api;
  #app;
  #status;

  constructor({ device, socket, api, app, status }) {
    this.#device = device;
    this.#socket = socket;
    this.#api = api;
    this.#app = app;
    this.#status = status;
    device.addEventListener("signed-out", () => socket.end());
    device.addEventListener("signed-out-elsewhere", () => this.#clear());
    socket.addEventListener("lost", ({ detail }) => this.#lost(detail.code));
  }

  async #lost(code) {
    if (this.#device.isSignedOut || ![UNKNOWN, SIGNED_OUT].includes(code)) return;
    if (await this.#isSignedIn()) return;
    // After a session has expired its stored data stays: the person may come back.
    if (code === SIGNED_OUT) await this.#device.signOut();
    this.#clear();
  }

  /** The staff may have closed only the connection, so ask. Without an answer assume that the session is valid. */
  async #isSignedIn() {
    try {
      await this.#api.me();
    } catch (failure) {
      return mayRetry(failure);
    }
    return true;
  }

  #clear() {
    this.#app.replaceChildren(this.#status);
    document.title = "Parley";
  }
}
