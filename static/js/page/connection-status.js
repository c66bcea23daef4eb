// Shows when the connection to the server is lost; shows nothing while it works.

const GRACE_MS = 1500;

export class ConnectionStatus {
  #element;
  #signIn;
  #timer;

  constructor(element, socket, signIn) {
    this.#element = element;
    this.#signIn = signIn;
    socket.addEventListener("connected", () => this.#hide());
    socket.addEventListener("lost", ({ detail }) => this.#lost(detail));
  }

  #hide() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#element.hidden = true;
  }

  #lost({ code, ended }) {
    if (ended) this.#ended(code);
    else this.#timer ??= setTimeout(() => this.#show("No connection. Trying again…"), GRACE_MS);
  }

  #ended(code) {
    clearTimeout(this.#timer);
    const link = document.createElement("a");
    link.href = `${this.#signIn}?next=${encodeURIComponent(location.pathname)}`;
    link.textContent = "Sign in again";
    this.#show(code === 4504 ? "This account is suspended. " : "You have been signed out. ", link);
  }

  #show(...content) {
    this.#element.replaceChildren(...content);
    this.#element.hidden = false;
  }
}
