// What the menu and the reactions do with messages, and which actions are offered. The server checks each of them.

import { copyText } from "../page/clipboard.js";
import { readMessage } from "./message-line.js";

export class MessageActions extends EventTarget {
  #api;
  #composer;
  #header;
  #editSeconds;
  #userId;
  #dialogs;

  constructor({ api, composer, header, editSeconds, userId, dialogs }) {
    super();
    this.#api = api;
    this.#composer = composer;
    this.#header = header;
    this.#editSeconds = editSeconds;
    this.#userId = userId;
    this.#dialogs = dialogs;
  }

  actionsFor(article) {
    const { kind, isStored, isDeleted, senderId, at } = readMessage(article);
    if (!isStored || isDeleted || kind === "notice") return new Set();
    const isMine = senderId === this.#userId;
    const isFresh = Date.now() - at < this.#editSeconds * 1000;
    const edit = isMine && isFresh ? ["edit"] : [];
    const status = isMine ? ["status"] : [];
    const report = isMine ? [] : ["report"];
    const remove = isMine || this.#header.isAdmin ? ["delete"] : [];
    return new Set(["react", "another", "reply", "forward", "copy", ...edit, ...status, ...report, ...remove]);
  }

  /** Act on a menu, and on the reactions in a list. */
  listen(menu, list) {
    menu.addEventListener("react", ({ detail }) => this.#react(detail.article, detail.emoji));
    menu.addEventListener("another", ({ detail }) => this.#another(detail.article));
    menu.addEventListener("reply", ({ detail }) => this.#composer.reply(readMessage(detail.article)));
    menu.addEventListener("edit", ({ detail }) => this.#composer.edit(readMessage(detail.article)));
    menu.addEventListener("copy", ({ detail }) => this.#copy(readMessage(detail.article)));
    menu.addEventListener("status", ({ detail }) => openPage(detail.article));
    menu.addEventListener("forward", ({ detail }) => openPage(detail.article, "/forward"));
    menu.addEventListener("report", ({ detail }) => openPage(detail.article, "/report"));
    menu.addEventListener("delete", ({ detail }) => this.#delete(readMessage(detail.article)));
    list.addEventListener("click", (event) => {
      const reaction = event.target.closest("[data-reaction]");
      if (!reaction) return;
      event.preventDefault();
      this.#react(reaction.closest("[data-id]"), reaction.value);
    });
    this.#composer.addEventListener("edit", ({ detail }) => this.#edit(detail));
  }

  #react(article, emoji) {
    const reaction = [...article.querySelectorAll("[data-reaction]")].find(({ value }) => isSame(value, emoji));
    const isAdded = reaction?.ariaPressed !== "true";
    return this.#try(async () => this.#show(await this.#api.react(article.dataset.id, emoji, isAdded)));
  }

  async #another(article) {
    const emoji = await this.#dialogs.emoji.ask();
    if (emoji) await this.#react(article, emoji);
  }

  async #edit({ id, text }) {
    const isDone = await this.#try(async () => this.#show(await this.#api.edit(id, text)));
    if (!isDone) this.#composer.editAgain(id, text);
  }

  #copy({ text }) {
    return this.#try(() => copyText(text));
  }

  async #delete({ id }) {
    if (await this.#dialogs.delete.ask()) await this.#try(() => this.#api.delete(id));
  }

  #show(message) {
    this.dispatchEvent(new CustomEvent("changed", { detail: message }));
  }

  async #try(task) {
    try {
      await task();
      return true;
    } catch (failure) {
      this.#composer.showError(failure.code ? failure.message : "That did not work. Please try again.");
      return false;
    }
  }
}

/** Open the page of a message, or one below it. */
const openPage = (article, path = "") => location.assign(`/messages/${readMessage(article).id}${path}`);

/** An emoji may carry a variation selector (picture or text) or none: compare without. */
const isSame = (one, other) => plain(one) === plain(other);
const plain = (emoji) => emoji.replace(/[\ufe0e\ufe0f]/g, "");
