// The list of conversations: newest on top, with what was said last and what is unread.

import { localiseAll } from "./format.js";
import { fillBadge, fillRow } from "./row.js";

export class Inbox extends EventTarget {
  #list;
  #template;
  #people;
  #userId;
  #known = new Map();
  #read = new Map();

  constructor(list, template, people, userId) {
    super();
    this.#list = list;
    this.#template = template;
    this.#people = people;
    this.#userId = userId;
    localiseAll(list);
    list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  /** What the server says counts; rows further down than its first page stay. */
  replace(conversations) {
    for (const [index, conversation] of conversations.entries()) this.#put(conversation, index);
    this.#count();
  }

  show(conversation) {
    this.#put(conversation, 0);
    this.#count();
  }

  /** Something was said; false if it was said where we know of nothing. */
  hear({ conversation_id: id, message }) {
    const conversation = this.#known.get(id);
    if (!conversation) return false;
    if (message.position <= (conversation.last_message?.position ?? 0)) return true;
    const counts = message.sender_id !== this.#userId && message.kind !== "notice";
    const unread = Math.min(100, conversation.me.unread_count + Number(counts));
    const { position: last_position } = message;
    this.show({ ...conversation, last_message: message, last_position, me: { ...conversation.me, unread_count: unread } });
    return true;
  }

  /** It was read here; an answer that was on its way before that must not unread it. */
  clear({ id, through }) {
    this.#read.set(id, through);
    const conversation = this.#known.get(id);
    if (conversation) conversation.me.unread_count = 0;
    const row = this.#row(id);
    if (row) fillBadge(row, 0);
    this.#count();
  }

  remove(id) {
    this.#row(id)?.parentElement.remove();
    this.#known.delete(id);
    this.#count();
  }

  #put(conversation, index) {
    this.#people.meet(conversation);
    this.#known.set(conversation.id, conversation);
    const { id, last_position: last, me } = conversation;
    if (last <= this.#read.get(id)) me.unread_count = 0;
    const row = this.#row(id) ?? this.#blank(id);
    fillRow(row, conversation, { people: this.#people, userId: this.#userId });
    this.#move(row.parentElement, index);
  }

  #move(item, index) {
    if (this.#list.children[index] === item) return;
    const focused = document.activeElement;
    this.#list.insertBefore(item, this.#list.children[index] ?? null);
    if (item.contains(focused)) focused.focus();
  }

  #row(id) {
    return this.#list.querySelector(`[data-conversation-id="${id}"]`);
  }

  #blank(id) {
    const item = document.createElement("li");
    item.append(this.#template.content.cloneNode(true));
    const row = item.firstElementChild;
    row.dataset.conversationId = id;
    row.href = `/conversations/${id}`;
    return row;
  }

  #count() {
    const unread = this.#list.querySelectorAll(".row--unread").length;
    this.dispatchEvent(new CustomEvent("unread", { detail: unread }));
  }
}
