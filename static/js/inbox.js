// The list of conversations: pinned ones and the newest on top, with what was said last and what is unread.
// It knows those that are put away too, and counts them.

import { fillBadge, fillRow, isMuted } from "./row.js";
import { localiseAll } from "./format.js";

export class Inbox extends EventTarget {
  #list;
  #template;
  #archive;
  #words;
  #people;
  #userId;
  #known = new Map();
  #read = new Map();
  #recorders = new Set();

  constructor({ list, template, archive, words, people, userId }) {
    super();
    this.#list = list;
    this.#template = template;
    this.#archive = archive;
    this.#words = words;
    this.#people = people;
    this.#userId = userId;
    localiseAll(list);
    list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
    people.addEventListener("met", () => this.#drawAll());
  }

  /** Fetch what the server says, and hear once more what was heard while its answer was on its way. */
  async renew(fetch) {
    const heard = [];
    this.#recorders.add(heard);
    try {
      this.#replace(await fetch());
    } finally {
      this.#recorders.delete(heard);
    }
    for (const [act, detail] of heard) this[act](detail);
  }

  show(conversation) {
    this.#record("show", conversation);
    this.#put(conversation);
  }

  /** Something was said; false if it was said where we know of nothing. */
  hear(detail) {
    this.#record("hear", detail);
    const { conversation_id: id, message } = detail;
    const conversation = this.#known.get(id);
    if (!conversation) return false;
    const last = conversation.last_message?.position ?? 0;
    // What is taken back or worded anew may have been among what is counted.
    if (conversation.me.unread_count && (message.deleted_at || message.edited_at)) return false;
    if (message.position < last) return true;
    if (message.position === last) return this.#show(id, { last_message: message });
    const counts = message.sender_id !== this.#userId && message.kind !== "notice";
    const { unread_count: unread, mention_count: meant } = conversation.me;
    const isMeant = counts && message.mentions.includes(this.#userId);
    const me = { unread_count: Math.min(100, unread + Number(counts)), mention_count: meant + Number(isMeant) };
    const { position: last_position, created_at: changed_at } = message;
    return this.#show(id, { last_message: message, last_position, changed_at, me: { ...conversation.me, ...me } });
  }

  /** What all members see of a conversation has changed. */
  change(detail) {
    this.#record("change", detail);
    const { conversation_id: id, changes: { participants, ...changes } } = detail;
    for (const { user } of participants?.added ?? []) this.#people.meet(user);
    const conversation = this.#known.get(id);
    if (conversation?.kind === "group") this.#show(id, changes);
  }

  /** What is one's own about a conversation has changed, here or on another device; false if it is not known. */
  settle(detail) {
    this.#record("settle", detail);
    const { conversation_id: id, me } = detail;
    const conversation = this.#known.get(id);
    return Boolean(conversation) && this.#show(id, { me: { ...conversation.me, ...me } });
  }

  /** It was read here; an answer that was on its way before that must not unread it. */
  clear({ id, through }) {
    this.#read.set(id, through);
    const conversation = this.#known.get(id);
    if (conversation) Object.assign(conversation.me, { unread_count: 0, mention_count: 0 });
    const row = this.#row(id);
    if (row) fillBadge(row, { unread_count: 0, mention_count: 0 });
    this.#count();
  }

  remove(id) {
    this.#record("remove", id);
    this.#row(id)?.parentElement.remove();
    this.#known.delete(id);
    this.#count();
  }

  #record(act, detail) {
    for (const heard of this.#recorders) heard.push([act, detail]);
  }

  /** What the server says counts; rows further down than its first page stay. */
  #replace(conversations) {
    const now = new Set(conversations.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!now.has(id)) this.#known.delete(id);
    for (const conversation of conversations) this.#learn(conversation);
    this.#drawAll();
  }

  #show(id, changes) {
    this.#put({ ...this.#known.get(id), ...changes });
    return true;
  }

  #put(conversation) {
    this.#learn(conversation);
    this.#fill(conversation.id);
    this.#arrange();
  }

  #learn(conversation) {
    const { id, last_position: last, me, participants = [] } = conversation;
    for (const { user } of participants) this.#people.meet(user);
    if (last <= this.#read.get(id)) Object.assign(me, { unread_count: 0, mention_count: 0 });
    this.#known.set(id, conversation);
  }

  #drawAll() {
    for (const id of this.#known.keys()) this.#fill(id);
    this.#arrange();
  }

  #fill(id) {
    const conversation = this.#known.get(id);
    // What is put away stands on a page of its own.
    if (conversation.me.archived !== this.#isArchive) return void this.#row(id)?.parentElement.remove();
    const row = this.#row(id) ?? this.#blank(id);
    const isOpen = row.hasAttribute("aria-current");
    fillRow(row, conversation, { words: this.#words, userId: this.#userId, isOpen });
  }

  /** Pinned ones first, then the newest; whoever is in a row stays there. */
  #arrange() {
    const rows = new Map([...this.#list.children].map((item) => [item.firstElementChild.dataset.conversationId, item]));
    const shown = [...this.#known.values()].filter(({ id }) => rows.has(id)).sort(inOrder);
    const focused = document.activeElement;
    shown.forEach(({ id }, index) => {
      const [item, there] = [rows.get(id), this.#list.children[index]];
      if (item !== there) this.#list.insertBefore(item, there);
    });
    if (this.#list.contains(focused)) focused.focus();
    this.#count();
  }

  get #isArchive() {
    return Boolean(this.#list.dataset.archive);
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
    this.#list.append(item);
    return row;
  }

  #count() {
    const all = [...this.#known.values()];
    if (this.#archive && all.length) {
      const away = all.filter(({ me }) => me.archived).length;
      this.#archive.hidden = !away;
      this.#archive.querySelector("[data-archived]").textContent = away;
    }
    const calls = ({ me }) => !me.archived && me.unread_count && (!isMuted(me) || me.mention_count);
    this.dispatchEvent(new CustomEvent("unread", { detail: all.filter(calls).length }));
  }
}

const inOrder = (one, other) =>
  other.me.pinned - one.me.pinned ||
  other.changed_at.localeCompare(one.changed_at) ||
  other.id.localeCompare(one.id);
