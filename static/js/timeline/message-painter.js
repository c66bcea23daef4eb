// Draws messages into lines, as this reader sees them.

import { fillMessage, readMessage } from "./message-line.js";
import { fillReactions } from "./reactions.js";
import { localiseAll } from "../text/format.js";
import { nodesOf } from "./richtext.js";

export class MessagePainter {
  #people;
  #phrases;
  #quotes;
  #userId;
  #reactionTemplate;

  constructor({ people, phrases, quotes, userId, reactionTemplate }) {
    this.#people = people;
    this.#phrases = phrases;
    this.#quotes = quotes;
    this.#userId = userId;
    this.#reactionTemplate = reactionTemplate;
  }

  /** Take over a message that the server has drawn, and remember its sender's name. */
  adopt(article) {
    const { senderId, sender, text, kind } = readMessage(article);
    const { mentions } = article.dataset;
    localiseAll(article);
    this.#people.add({ id: senderId, name: sender });
    if (kind === "notice") return;
    article.querySelector("[data-text]").replaceChildren(...nodesOf(text, this.#names(mentions.split(" "))));
  }

  draw(article, message, state) {
    const mentions = message.mentions ?? [];
    fillMessage(article, message, {
      name: this.#phrases.name(message.sender_id),
      avatar: this.#people.avatar(message.sender_id),
      text: this.#phrases.text(message),
      lang: message.kind === "notice" ? this.#phrases.get("lang") : "",
      names: this.#names(mentions),
      isMentioned: mentions.includes(this.#userId) && !message.deleted_at,
      ...state,
    });
    const [box, messageId] = [article.querySelector("[data-reactions]"), message.id];
    const known = { template: this.#reactionTemplate, phrases: this.#phrases, userId: this.#userId, messageId };
    fillReactions(box, message.deleted_at ? [] : (message.reactions ?? []), known);
    this.#quotes.fill(article);
    this.#quotes.refresh(message.id);
  }

  /** Map each mentioned username to whether it is the reader's; `all` counts if the reader is mentioned. */
  #names(ids) {
    const mentioned = ids.filter(Boolean);
    const names = mentioned.map((id) => [this.#people.username(id), id === this.#userId]);
    return new Map(mentioned.length ? [...names, ["all", mentioned.includes(this.#userId)]] : []);
  }
}
