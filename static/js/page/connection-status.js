// Says how the line to the server is; nothing while it is well.

const GRACE = 1500;

export class LinkState {
  #element;
  #signIn;
  #timer;

  constructor(element, socket, signIn) {
    this.#element = element;
    this.#signIn = signIn;
    socket.addEventListener("connected", () => this.#well());
    socket.addEventListener("lost", ({ detail }) => this.#lost(detail));
  }

  #well() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#element.hidden = true;
  }

  #lost({ code, ended }) {
    if (ended) this.#ended(code);
    else this.#timer ??= setTimeout(() => this.#say("No connection. Trying again…"), GRACE);
  }

  #ended(code) {
    clearTimeout(this.#timer);
    const link = document.createElement("a");
    link.href = `${this.#signIn}?next=${encodeURIComponent(location.pathname)}`;
    link.textContent = "Sign in again";
    this.#say(code === 4504 ? "This account is suspended. " : "You have been signed out. ", link);
  }

  #say(...words) {
    this.#element.replaceChildren(...words);
    this.#element.hidden = false;
  }
}
