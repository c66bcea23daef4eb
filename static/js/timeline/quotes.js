// The message that a line answers, above it: looked up on the page, else asked for; it shows what this reader may see.

import { read } from "./message-line.js";
import { cut } from "../text/graphemes.js";
import { tone } from "../text/format.js";

const LENGTH = 160;

export class Quotes {
  #list;
  #api;
  #words;
  #asked = new Map();

  constructor(list, api, words) {
    this.#list = list;
    this.#api = api;
    this.#words = words;
  }

  /** Show in a line what it answers. */
  async fill(article) {
    const id = article.dataset.replyTo;
    const quote = article.querySelector("[data-quote]");
    quote.hidden = !id;
    if (!id) return;
    quote.href = `/messages/${id}`;
    this.#show(quote, this.#onPage(id) ?? { text: "…" });
    const found = this.#onPage(id) ?? (await this.#ask(id));
    if (article.dataset.replyTo === id) this.#show(quote, found ?? { text: this.#words.say("unavailable") });
  }

  /** A message has changed: so do the quotes of it. */
  refresh(id) {
    this.#asked.delete(id);
    for (const article of this.#list.querySelectorAll(`[data-reply-to="${id}"]`)) this.fill(article);
  }

  #onPage(id) {
    const article = this.#list.querySelector(`[data-id="${id}"]`);
    const known = article && read(article);
    // What hangs on a message has no words on the page; the answer has.
    return known?.text ? known : null;
  }

  #ask(id) {
    if (!this.#asked.has(id)) this.#asked.set(id, this.#fetch(id));
    return this.#asked.get(id);
  }

  async #fetch(id) {
    try {
      const message = await this.#api.message(id);
      const { sender_id: senderId } = message;
      return { senderId, sender: this.#words.name(senderId), text: this.#words.summary(message) };
    } catch {
      return null;
    }
  }

  #show(quote, { sender = "", senderId, text }) {
    quote.className = `quote ${senderId ? `tone-${tone(senderId)}` : ""}`;
    quote.querySelector("[data-quote-sender]").textContent = sender;
    quote.querySelector("[data-quote-text]").textContent = cut(text, LENGTH).replace(/\s+/g, " ");
  }
}
