// Suggests people to mention after an @ in the composer.

import { fold } from "../text/fold.js";
import { Listbox } from "../page/listbox.js";

const MOST_SHOWN = 6;
const MENTION_START = /@(?<![\p{L}\p{N}_]\p{M}*@)([\p{L}\p{M}\p{N}_.\-]*)$/u;

export class MentionSuggest {
  #field;
  #people;
  #userId;
  #conversationId;
  #listbox;

  constructor(field, list, people, { userId, conversationId }) {
    this.#field = field;
    this.#people = people;
    this.#userId = userId;
    this.#conversationId = conversationId;
    this.#listbox = new Listbox(list, field);
    this.#listbox.addEventListener("pick", ({ detail }) => this.#complete(detail.username));
    field.addEventListener("input", () => this.#update());
    field.addEventListener("keydown", (event) => this.#listbox.handleKey(event));
  }

  get #prefix() {
    const { value, selectionStart } = this.#field;
    return MENTION_START.exec(value.slice(0, selectionStart))?.[1];
  }

  #update() {
    if (this.#prefix === undefined) return this.#listbox.hide();
    const prefix = fold(this.#prefix);
    // If the members cannot be loaded, the next letter tries again.
    this.#people.loadMembers(this.#conversationId).then((isNew) => isNew && this.#update(), () => {});
    const matches = ({ name, username }) => username.startsWith(prefix) || fold(name).startsWith(prefix);
    const people = this.#candidates.filter(matches);
    // A complete username needs no suggestion: then Enter sends.
    this.#listbox.show(people.some(({ username }) => username === prefix) ? [] : people.slice(0, MOST_SHOWN));
  }

  get #candidates() {
    const others = this.#people.members.filter(({ id, username }) => id !== this.#userId && username);
    return others.length > 1 ? [...others, { id: "00", name: "Everyone", username: "all" }] : others;
  }

  #complete(username) {
    const { selectionStart: end } = this.#field;
    this.#field.setRangeText(`@${username} `, end - this.#prefix.length - 1, end, "end");
    this.#field.dispatchEvent(new Event("input"));
  }
}
