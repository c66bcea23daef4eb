// Replaces the page when its reader is no longer in the conversation. Texts that were not sent are shown to be copied.

import { enableCopyButtons } from "./copy-button.js";

const REASONS = {
  left: ["You left", "You are no longer in this group."],
  removed: ["You are no longer in this group", "Someone removed you."],
  gone: ["You are no longer in this group", "You were removed, or the group was deleted."],
  deleted: ["This group was deleted", "Its messages were deleted with it."],
};

export class RemovedNotice {
  #conversationId;
  #main;
  #template;
  #unsentTexts = async () => [];
  #isShown = false;

  constructor(socket, conversationId, main, template) {
    this.#conversationId = conversationId;
    this.#main = main;
    this.#template = template;
    socket.addEventListener("conversation.removed", ({ detail }) => {
      if (detail.conversation_id === conversationId) this.show(detail.reason);
    });
    socket.addEventListener("conversation.created", ({ detail }) => this.#reopen(detail));
  }

  /** `texts` returns the texts that are not sent yet when the notice appears. */
  offerUnsent(texts) {
    this.#unsentTexts = texts;
  }

  async show(reason) {
    if (this.#isShown) return;
    this.#isShown = true;
    const [title, text] = REASONS[reason] ?? REASONS.left;
    const unsent = this.#unsentTexts();
    const page = this.#template.content.cloneNode(true);
    page.querySelector("[data-title]").textContent = title;
    page.querySelector("[data-text]").textContent = text;
    this.#main.replaceChildren(page);
    this.#main.focus();
    this.#showUnsent((await unsent).join("\n\n"));
  }

  #showUnsent(text) {
    if (!text.trim()) return;
    this.#main.querySelector("#kept-words").value = text;
    this.#main.querySelector("[data-kept]").hidden = false;
    enableCopyButtons(this.#main);
  }

  #reopen({ id }) {
    if (this.#isShown && id === this.#conversationId) location.assign(`/conversations/${id}`);
  }
}
