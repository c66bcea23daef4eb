// What the menu and the chips do with messages, and which of it is offered; what goes, the server says.

import { copyText } from "../page/clipboard.js";
import { read } from "./message-line.js";

export class Acts extends EventTarget {
  #api;
  #composer;
  #details;
  #editSeconds;
  #userId;
  #asks;

  constructor({ api, composer, details, editSeconds, userId, asks }) {
    super();
    this.#api = api;
    this.#composer = composer;
    this.#details = details;
    this.#editSeconds = editSeconds;
    this.#userId = userId;
    this.#asks = asks;
  }

  offers(article) {
    const { kind, isStored, isDeleted, senderId, at } = read(article);
    if (!isStored || isDeleted || kind === "notice") return new Set();
    const isMine = senderId === this.#userId;
    const isFresh = Date.now() - at < this.#editSeconds * 1000;
    const edit = isMine && isFresh ? ["edit"] : [];
    const status = isMine ? ["status"] : [];
    const report = isMine ? [] : ["report"];
    const remove = isMine || this.#details.isAdmin ? ["delete"] : [];
    return new Set(["react", "another", "reply", "forward", "copy", ...edit, ...status, ...report, ...remove]);
  }

  /** Hear a menu, and the chips in a list. */
  listen(menu, list) {
    menu.addEventListener("react", ({ detail }) => this.#react(detail.article, detail.emoji));
    menu.addEventListener("another", ({ detail }) => this.#another(detail.article));
    menu.addEventListener("reply", ({ detail }) => this.#composer.reply(read(detail.article)));
    menu.addEventListener("edit", ({ detail }) => this.#composer.edit(read(detail.article)));
    menu.addEventListener("copy", ({ detail }) => this.#copy(read(detail.article)));
    menu.addEventListener("status", ({ detail }) => location.assign(`/messages/${read(detail.article).id}`));
    menu.addEventListener("forward", ({ detail }) => location.assign(`/messages/${read(detail.article).id}/forward`));
    menu.addEventListener("report", ({ detail }) => location.assign(`/messages/${read(detail.article).id}/report`));
    menu.addEventListener("delete", ({ detail }) => this.#delete(read(detail.article)));
    list.addEventListener("click", (event) => {
      const chip = event.target.closest("[data-reaction]");
      if (!chip) return;
      event.preventDefault();
      this.#react(chip.closest("[data-id]"), chip.value);
    });
    this.#composer.addEventListener("edit", ({ detail }) => this.#edit(detail));
  }

  #react(article, emoji) {
    const chip = [...article.querySelectorAll("[data-reaction]")].find(({ value }) => isSame(value, emoji));
    const stands = chip?.ariaPressed !== "true";
    return this.#try(async () => this.#show(await this.#api.react(article.dataset.id, emoji, stands)));
  }

  async #another(article) {
    const emoji = await this.#asks.emoji.answer();
    if (emoji) await this.#react(article, emoji);
  }

  async #edit({ id, text }) {
    const isDone = await this.#try(async () => this.#show(await this.#api.edit(id, text)));
    if (!isDone) this.#composer.again(id, text);
  }

  #copy({ text }) {
    return this.#try(() => copyText(text));
  }

  async #delete({ id }) {
    if (await this.#asks.delete.answer()) await this.#try(() => this.#api.delete(id));
  }

  #show(message) {
    this.dispatchEvent(new CustomEvent("changed", { detail: message }));
  }

  async #try(task) {
    try {
      await task();
      return true;
    } catch (failure) {
      this.#composer.complain(failure.code ? failure.message : "That did not work. Please try again.");
      return false;
    }
  }
}

/** One emoji has several spellings: with a selector for a picture, or for text, or with none. */
const isSame = (one, other) => plain(one) === plain(other);
const plain = (emoji) => emoji.replace(/[\ufe0e\ufe0f]/g, "");
