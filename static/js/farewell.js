// Who is out of the conversation on this page is told so, and shown the way back.

const REASONS = {
  left: ["You have left", "You are not in this group any more."],
  removed: ["You are out", "Someone has removed you from this group."],
  deleted: ["This group is no more", "It was deleted, with all that was said in it."],
};

export class Farewell {
  #conversationId;
  #main;
  #template;
  #isOver = false;

  constructor(socket, conversationId, main, template) {
    this.#conversationId = conversationId;
    this.#main = main;
    this.#template = template;
    socket.addEventListener("conversation.removed", ({ detail }) => this.#hear(detail));
    socket.addEventListener("conversation.created", ({ detail }) => this.#back(detail));
  }

  #hear({ conversation_id: id, reason }) {
    if (id !== this.#conversationId) return;
    const [title, text] = REASONS[reason] ?? REASONS.left;
    const words = this.#template.content.cloneNode(true);
    words.querySelector("[data-title]").textContent = title;
    words.querySelector("[data-text]").textContent = text;
    this.#main.replaceChildren(words);
    this.#main.focus();
    this.#isOver = true;
  }

  #back({ id }) {
    if (this.#isOver && id === this.#conversationId) location.assign(`/conversations/${id}`);
  }
}
