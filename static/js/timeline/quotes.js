// The quote above a reply: taken from the page, else fetched. It shows only what this reader may see.

import { readMessage } from "./message-line.js";
import { cut } from "../text/graphemes.js";
import { tone } from "../text/format.js";

const MOST_LENGTH = 160;

export class Quotes {
  #list;
  #api;
  #phrases;
  #loading = new Map();

  constructor(list, api, phrases) {
    this.#list = list;
    this.#api = api;
    this.#phrases = phrases;
  }

  /** Fetch quoted messages again from now on. */
  forget() {
    this.#loading.clear();
  }

  /** Fill the quote of a message that is a reply. */
  async fill(article) {
    const id = article.dataset.replyTo;
    const quote = article.querySelector("[data-quote]");
    quote.hidden = !id;
    if (!id) return;
    quote.href = `/messages/${id}`;
    this.#show(quote, this.#onPage(id) ?? { text: "…" });
    const found = this.#onPage(id) ?? (await this.#load(id));
    if (article.dataset.replyTo === id) this.#show(quote, found ?? { text: this.#phrases.get("unavailable") });
  }

  /** A message has changed: update the quotes of it. */
  refresh(id) {
    this.#loading.delete(id);
    for (const article of this.#list.querySelectorAll(`[data-reply-to="${id}"]`)) this.fill(article);
  }

  #onPage(id) {
    const article = this.#list.querySelector(`[data-id="${id}"]`);
    const known = article && readMessage(article);
    // A message with attachments only has no text on the page; the API's answer gives a summary.
    return known?.text ? known : null;
  }

  #load(id) {
    if (!this.#loading.has(id)) this.#loading.set(id, this.#fetch(id));
    return this.#loading.get(id);
  }

  async #fetch(id) {
    try {
      const message = await this.#api.message(id);
      const { sender_id: senderId } = message;
      return { senderId, sender: this.#phrases.name(senderId), text: this.#phrases.summary(message) };
    } catch {
      return null;
    }
  }

  #show(quote, { sender = "", senderId, text }) {
    quote.className = `quote ${senderId ? `tone-${tone(senderId)}` : ""}`;
    quote.querySelector("[data-quote-sender]").textContent = sender;
    quote.querySelector("[data-quote-text]").textContent = cut(text, MOST_LENGTH).replace(/\s+/g, " ");
  }
}
