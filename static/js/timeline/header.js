// Who is in the open conversation, and what it is called: the bar above the messages, and the list behind it.

import { setFace } from "../page/avatar.js";
import { tone } from "../text/format.js";

export class Details {
  #head;
  #list;
  #template;
  #people;
  #words;
  #userId;
  #known;

  constructor({ head, list, template, people, words, userId, basics }) {
    this.#head = head;
    this.#list = list;
    this.#template = template;
    this.#people = people;
    this.#words = words;
    this.#userId = userId;
    this.#known = basics;
  }

  /** Whether the reader may take away what others say. */
  get isAdmin() {
    return this.#known.kind === "group" && this.#known.role !== "member";
  }

  get kind() {
    return this.#known.kind;
  }

  /** Say who is typing, in the place of what is said of the conversation. */
  type(text) {
    const typing = this.#head.querySelector("[data-typing]");
    typing.textContent = text;
    typing.hidden = !text;
    this.#head.querySelector("[data-about]").hidden = Boolean(text);
  }

  /** The whole conversation, as it is now. */
  replace({ participants = [], me, ...conversation }) {
    const here = new Set(participants.map(({ user }) => user.id));
    for (const row of this.#rows) if (participants.length && !here.has(row.dataset.personId)) this.#remove(row.dataset.personId);
    for (const participant of participants) this.#put(participant);
    this.#learn({ ...conversation, role: me.role });
  }

  /** What is different. */
  apply({ participants: { added = [], updated = [], removed = [] } = {}, ...changes }) {
    for (const participant of [...added, ...updated]) this.#put(participant);
    for (const id of removed) this.#remove(id);
    const me = updated.find(({ user }) => user.id === this.#userId);
    this.#learn({ ...changes, ...(me && { role: me.role }) });
  }

  #learn(changes) {
    this.#known = { ...this.#known, ...changes };
    const { kind, name, avatar_url: avatar, description, participant_count: count } = this.#known;
    this.#head.querySelector("[data-head-name]").textContent = name;
    setFace(this.#head.querySelector("[data-head-avatar]"), name, avatar);
    if (kind === "direct") return;
    const about = [this.#words.members(count), description].filter(Boolean).join(" · ");
    this.#head.querySelector("[data-head-about]").textContent = about;
  }

  get #rows() {
    return [...this.#list.querySelectorAll("[data-person-id]")];
  }

  #row(id) {
    return this.#list.querySelector(`[data-person-id="${id}"]`);
  }

  #put({ user, role }) {
    this.#people.come(user);
    const row = this.#row(user.id) ?? this.#blank(user.id);
    const name = this.#people.name(user.id);
    setFace(row.querySelector("[data-avatar]"), name, this.#people.avatar(user.id));
    row.querySelector("[data-name]").textContent = name;
    row.querySelector("[data-username]").textContent = user.username && `@${user.username}`;
    row.querySelector("[data-role]").textContent = role === "member" || this.#known.kind === "direct" ? "" : role;
  }

  #blank(id) {
    const item = document.createElement("li");
    item.append(this.#template.content.cloneNode(true));
    const row = item.firstElementChild;
    row.href = `/people/${id}`;
    row.dataset.personId = id;
    row.querySelector("[data-avatar]").className = `avatar tone-${tone(id)}`;
    this.#list.append(item);
    return row;
  }

  #remove(id) {
    this.#people.go(id);
    this.#row(id)?.parentElement.remove();
  }
}
