// The bar above the messages: the conversation's name, its members, who is typing, and the list of members behind it.

import { setAvatar } from "../page/avatar.js";
import { tone } from "../text/format.js";

export class Header {
  #bar;
  #list;
  #template;
  #people;
  #phrases;
  #userId;
  #conversation;

  constructor({ bar, list, template, people, phrases, userId, basics }) {
    this.#bar = bar;
    this.#list = list;
    this.#template = template;
    this.#people = people;
    this.#phrases = phrases;
    this.#userId = userId;
    this.#conversation = basics;
  }

  /** Whether the reader may delete what others have sent. */
  get isAdmin() {
    return this.#conversation.kind === "group" && this.#conversation.role !== "member";
  }

  get kind() {
    return this.#conversation.kind;
  }

  /** Show who is typing in place of the facts about the conversation. */
  showTyping(text) {
    const typing = this.#bar.querySelector("[data-typing]");
    typing.textContent = text;
    typing.hidden = !text;
    this.#bar.querySelector("[data-about]").hidden = Boolean(text);
  }

  /** Replace everything by the current conversation. */
  replace({ participants = [], me, ...conversation }) {
    const memberIds = new Set(participants.map(({ user }) => user.id));
    const listed = this.#rows.map((row) => row.dataset.personId);
    for (const id of listed) if (participants.length && !memberIds.has(id)) this.#remove(id);
    for (const participant of participants) this.#showMember(participant);
    this.#update({ ...conversation, role: me.role });
  }

  /** Apply changes. */
  applyChanges({ participants: { added = [], updated = [], removed = [] } = {}, ...changes }) {
    for (const participant of [...added, ...updated]) this.#showMember(participant);
    for (const id of removed) this.#remove(id);
    const me = updated.find(({ user }) => user.id === this.#userId);
    this.#update({ ...changes, ...(me && { role: me.role }) });
  }

  #update(changes) {
    this.#conversation = { ...this.#conversation, ...changes };
    const { kind, name, avatar_url: avatar, description, participant_count: count } = this.#conversation;
    this.#bar.querySelector("[data-head-name]").textContent = name;
    setAvatar(this.#bar.querySelector("[data-head-avatar]"), name, avatar);
    if (kind === "direct") return;
    const about = [this.#phrases.members(count), description].filter(Boolean).join(" · ");
    this.#bar.querySelector("[data-head-about]").textContent = about;
  }

  get #rows() {
    return [...this.#list.querySelectorAll("[data-person-id]")];
  }

  #row(id) {
    return this.#list.querySelector(`[data-person-id="${id}"]`);
  }

  #showMember({ user, role }) {
    this.#people.addMember(user);
    const row = this.#row(user.id) ?? this.#createRow(user.id);
    const name = this.#people.name(user.id);
    setAvatar(row.querySelector("[data-avatar]"), name, this.#people.avatar(user.id));
    row.querySelector("[data-name]").textContent = name;
    row.querySelector("[data-username]").textContent = user.username && `@${user.username}`;
    const hasRole = role !== "member" && this.#conversation.kind !== "direct";
    row.querySelector("[data-role]").textContent = hasRole ? role : "";
  }

  #createRow(id) {
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
    this.#people.removeMember(id);
    this.#row(id)?.parentElement.remove();
  }
}
