// The list of conversations: pinned ones first, then the newest, each with its last message and unread count.
// Archived conversations have a list of their own, behind a link that shows their number.

import { fillRow, isMuted, lastActivity } from "./row.js";
import { localiseAll } from "../text/format.js";

export class Inbox extends EventTarget {
  #list;
  #template;
  #archive;
  #conversations;
  #typing;
  #phrases;
  #userId;

  constructor({ list, template, archive, conversations, typing, phrases, people, userId }) {
    super();
    this.#list = list;
    this.#template = template;
    this.#archive = archive;
    this.#conversations = conversations;
    this.#typing = typing;
    this.#phrases = phrases;
    this.#userId = userId;
    localiseAll(list);
    list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
    conversations.addEventListener("changed", ({ detail }) => this.#draw(conversations.get(detail.id)));
    conversations.addEventListener("removed", ({ detail }) => this.#remove(detail.id));
    conversations.addEventListener("replaced", ({ detail }) => {
      if (detail.isComplete) this.#removeStale();
      this.#draw(...conversations.all());
    });
    typing.addEventListener("changed", ({ detail }) => {
      const conversation = conversations.get(detail.id);
      if (conversation) this.#drawRow(conversation);
    });
    people.addEventListener("loaded", () => this.#draw(...conversations.all()));
  }

  #draw(...conversations) {
    for (const conversation of conversations) this.#drawRow(conversation);
    this.#sort();
    this.#count();
  }

  #remove(id) {
    this.#row(id)?.parentElement.remove();
    this.#count();
  }

  /** All conversations are known now: remove the rows of those that were left or deleted meanwhile. */
  #removeStale() {
    for (const row of this.#list.querySelectorAll("[data-conversation-id]")) {
      if (!this.#conversations.get(row.dataset.conversationId)) row.parentElement.remove();
    }
  }

  #drawRow(conversation) {
    const { id, me } = conversation;
    if (me.archived !== this.#isArchive) return void this.#row(id)?.parentElement.remove();
    const row = this.#row(id) ?? this.#createRow(id);
    const isOpen = row.hasAttribute("aria-current");
    const typists = this.#typing.in(id);
    fillRow(row, conversation, { phrases: this.#phrases, userId: this.#userId, isOpen, typists });
  }

  /** Rows of conversations that are not loaded, beyond the server's first page, stay at the end. */
  #sort() {
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
      const archived = all.filter(({ me }) => me.archived).length;
      this.#archive.hidden = !archived;
      this.#archive.querySelector("[data-archived]").textContent = archived;
    }
    const wantsAttention = ({ me }) => !me.archived && me.unread_count && (!isMuted(me) || me.mention_count);
    this.dispatchEvent(new CustomEvent("unread", { detail: all.filter(wantsAttention).length }));
  }

  get #isArchive() {
    return Boolean(this.#list.dataset.archive);
  }

  #row(id) {
    return this.#list.querySelector(`[data-conversation-id="${id}"]`);
  }

  #createRow(id) {
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
  lastActivity(other).localeCompare(lastActivity(one)) ||
  other.id.localeCompare(one.id);
