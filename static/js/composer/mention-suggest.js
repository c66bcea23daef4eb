// An @ in the composer offers those who can be meant.

import { fold } from "../text/fold.js";
import { Listbox } from "../page/listbox.js";

const MOST = 6;
const BEGUN = /@(?<![\p{L}\p{N}_]\p{M}*@)([\p{L}\p{M}\p{N}_.\-]*)$/u;

export class Suggest {
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
    field.addEventListener("input", () => this.#look());
    field.addEventListener("keydown", (event) => this.#listbox.key(event));
  }

  get #begun() {
    const { value, selectionStart } = this.#field;
    return BEGUN.exec(value.slice(0, selectionStart))?.[1];
  }

  #look() {
    if (this.#begun === undefined) return this.#listbox.hide();
    const begun = fold(this.#begun);
    // Without the others' names one writes on, and asks again with the next letter.
    this.#people.gather(this.#conversationId).then((isNew) => isNew && this.#look(), () => {});
    const fits = ({ name, username }) => username.startsWith(begun) || fold(name).startsWith(begun);
    const some = this.#candidates.filter(fits);
    // Whose name is written in full is meant already: then Enter sends.
    this.#listbox.show(some.some(({ username }) => username === begun) ? [] : some.slice(0, MOST));
  }

  get #candidates() {
    const others = this.#people.here.filter(({ id, username }) => id !== this.#userId && username);
    return others.length > 1 ? [...others, { id: "00", name: "Everyone", username: "all" }] : others;
  }

  #complete(username) {
    const { selectionStart: end } = this.#field;
    this.#field.setRangeText(`@${username} `, end - this.#begun.length - 1, end, "end");
    this.#field.dispatchEvent(new Event("input"));
  }
}
