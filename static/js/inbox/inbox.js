// The list of conversations: pinned ones and the newest on top, with what was said last and what is unread.
// What is put away stands in a list of its own, behind a link with their number.

import { fillRow, isMuted, lastSaid } from "./row.js";
import { localiseAll } from "../text/format.js";

export class Inbox extends EventTarget {
  #list;
  #template;
  #archive;
  #conversations;
  #typists;
  #words;
  #userId;

  constructor({ list, template, archive, conversations, typists, words, people, userId }) {
    super();
    this.#list = list;
    this.#template = template;
    this.#archive = archive;
    this.#conversations = conversations;
    this.#typists = typists;
    this.#words = words;
    this.#userId = userId;
    localiseAll(list);
    list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
    conversations.addEventListener("changed", ({ detail }) => this.#draw(conversations.get(detail.id)));
    conversations.addEventListener("removed", ({ detail }) => this.#remove(detail.id));
    conversations.addEventListener("replaced", ({ detail }) => {
      if (detail.isWhole) this.#weed();
      this.#draw(...conversations.all());
    });
    typists.addEventListener("changed", ({ detail }) => conversations.get(detail.id) && this.#fill(conversations.get(detail.id)));
    people.addEventListener("met", () => this.#draw(...conversations.all()));
  }

  #draw(...conversations) {
    for (const conversation of conversations) this.#fill(conversation);
    this.#arrange();
    this.#count();
  }

  #remove(id) {
    this.#row(id)?.parentElement.remove();
    this.#count();
  }

  /** All conversations are known: a row of none of them is of one that was left, or deleted, meanwhile. */
  #weed() {
    for (const row of this.#list.querySelectorAll("[data-conversation-id]")) {
      if (!this.#conversations.get(row.dataset.conversationId)) row.parentElement.remove();
    }
  }

  #fill(conversation) {
    const { id, me } = conversation;
    if (me.archived !== this.#isArchive) return void this.#row(id)?.parentElement.remove();
    const row = this.#row(id) ?? this.#blank(id);
    const isOpen = row.hasAttribute("aria-current");
    const typists = this.#typists.in(id);
    fillRow(row, conversation, { words: this.#words, userId: this.#userId, isOpen, typists });
  }

  /** Rows that nothing is known of, further down than the server's first page, stay below. */
  #arrange() {
    const rows = new Map([...this.#list.children].map((item) => [item.firstElementChild.dataset.conversationId, item]));
    const shown = this.#conversations.all().filter(({ id }) => rows.has(id)).sort(inOrder);
    const focused = document.activeElement;
    shown.forEach(({ id }, index) => {
      const [item, there] = [rows.get(id), this.#list.children[index]];
      if (item !== there) this.#list.insertBefore(item, there);
    });
    if (this.#list.contains(focused)) focused.focus();
  }

  #count() {
    const all = this.#conversations.all();
    if (this.#archive && all.length) {
      const away = all.filter(({ me }) => me.archived).length;
      this.#archive.hidden = !away;
      this.#archive.querySelector("[data-archived]").textContent = away;
    }
    const calls = ({ me }) => !me.archived && me.unread_count && (!isMuted(me) || me.mention_count);
    this.dispatchEvent(new CustomEvent("unread", { detail: all.filter(calls).length }));
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
}

const inOrder = (one, other) =>
  other.me.pinned - one.me.pinned ||
  lastSaid(other).localeCompare(lastSaid(one)) ||
  other.id.localeCompare(one.id);
