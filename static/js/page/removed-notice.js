// Who is out of the conversation on this page is told so, and shown the way back. What they were writing is not lost.

import { offerCopies } from "./copy-button.js";

const REASONS = {
  left: ["You have left", "You are not in this group any more."],
  removed: ["You are out", "Someone has removed you from this group."],
  gone: ["You are out", "You are not in this group any more, or it was deleted."],
  deleted: ["This group is no more", "It was deleted, with all that was said in it."],
};

export class Farewell {
  #conversationId;
  #main;
  #template;
  #kept = async () => [];
  #isOver = false;

  constructor(socket, conversationId, main, template) {
    this.#conversationId = conversationId;
    this.#main = main;
    this.#template = template;
    socket.addEventListener("conversation.removed", ({ detail }) => {
      if (detail.conversation_id === conversationId) this.show(detail.reason);
    });
    socket.addEventListener("conversation.created", ({ detail }) => this.#back(detail));
  }

  /** `words` gives the texts that are not sent yet, as they are when the page ends. */
  keep(words) {
    this.#kept = words;
  }

  async show(reason) {
    if (this.#isOver) return;
    this.#isOver = true;
    const [title, text] = REASONS[reason] ?? REASONS.left;
    const kept = this.#kept();
    const page = this.#template.content.cloneNode(true);
    page.querySelector("[data-title]").textContent = title;
    page.querySelector("[data-text]").textContent = text;
    this.#main.replaceChildren(page);
    this.#main.focus();
    this.#showKept((await kept).join("\n\n"));
  }

  #showKept(text) {
    if (!text.trim()) return;
    this.#main.querySelector("#kept-words").value = text;
    this.#main.querySelector("[data-kept]").hidden = false;
    offerCopies(this.#main);
  }

  #back({ id }) {
    if (this.#isOver && id === this.#conversationId) location.assign(`/conversations/${id}`);
  }
}
