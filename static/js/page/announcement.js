// Shows an announcement by the staff until the reader closes it.

export class Announcement {
  #element;
  #text;

  constructor(element, socket) {
    this.#element = element;
    this.#text = element.querySelector("p");
    socket.addEventListener("announcement", ({ detail }) => this.#show(detail.text));
    element.querySelector("button").addEventListener("click", () => (element.hidden = true));
  }

  #show(text) {
    this.#text.textContent = text;
    this.#element.hidden = false;
  }
}
