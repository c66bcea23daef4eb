// Draws messages into lines, as this reader sees them.

import { fill, read } from "./message-line.js";
import { fillReactions } from "./reactions.js";
import { localiseAll } from "../text/format.js";
import { nodesOf } from "./richtext.js";

export class Painter {
  #people;
  #words;
  #quotes;
  #userId;
  #chip;

  constructor({ people, words, quotes, userId, chip }) {
    this.#people = people;
    this.#words = words;
    this.#quotes = quotes;
    this.#userId = userId;
    this.#chip = chip;
  }

  /** Take over a line that the server has drawn, and learn who spoke. */
  adopt(article) {
    const { senderId, sender, text, kind } = read(article);
    const { mentions } = article.dataset;
    localiseAll(article);
    this.#people.learn({ id: senderId, name: sender });
    if (kind === "notice") return;
    article.querySelector("[data-text]").replaceChildren(...nodesOf(text, this.#names(mentions.split(" "))));
  }

  draw(article, message, look) {
    const mentions = message.mentions ?? [];
    fill(article, message, {
      name: this.#words.name(message.sender_id),
      avatar: this.#people.avatar(message.sender_id),
      text: this.#words.text(message),
      lang: message.kind === "notice" ? this.#words.say("lang") : "",
      names: this.#names(mentions),
      isMeant: mentions.includes(this.#userId) && !message.deleted_at,
      ...look,
    });
    const [box, messageId] = [article.querySelector("[data-reactions]"), message.id];
    const known = { template: this.#chip, words: this.#words, userId: this.#userId, messageId };
    fillReactions(box, message.deleted_at ? [] : (message.reactions ?? []), known);
    this.#quotes.fill(article);
    this.#quotes.refresh(message.id);
  }

  /** The usernames of those who are meant, each with whether that is the reader; who means all says so. */
  #names(ids) {
    const meant = ids.filter(Boolean);
    const names = meant.map((id) => [this.#people.username(id), id === this.#userId]);
    return new Map(meant.length ? [...names, ["all", meant.includes(this.#userId)]] : []);
  }
}
