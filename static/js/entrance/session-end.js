// The end of a page whose person has signed out in another tab, or elsewhere: it shows and keeps nothing any more.

import { mayPass } from "../net/refusal.js";

const [UNKNOWN, SIGNED_OUT] = [4501, 4503];

export class Ending {
  #device;
  #socket;
  #api;
  #app;
  #linkState;

  constructor({ device, socket, api, app, linkState }) {
    this.#device = device;
    this.#socket = socket;
    this.#api = api;
    this.#app = app;
    this.#linkState = linkState;
    device.addEventListener("over", () => socket.end());
    device.addEventListener("elsewhere", () => this.#empty());
    socket.addEventListener("lost", ({ detail }) => this.#lost(detail.code));
  }

  async #lost(code) {
    if (this.#device.isOver || ![UNKNOWN, SIGNED_OUT].includes(code)) return;
    if (await this.#isSignedIn()) return;
    // What is kept stays for a session that has run out: its person may come back.
    if (code === SIGNED_OUT) await this.#device.leave();
    this.#empty();
  }

  /** The staff may only have closed the connection; where nobody answers, nobody knows. */
  async #isSignedIn() {
    try {
      await this.#api.me();
    } catch (failure) {
      return mayPass(failure);
    }
    return true;
  }

  #empty() {
    this.#app.replaceChildren(this.#linkState);
    document.title = "Parley";
  }
}
