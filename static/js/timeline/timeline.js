// The messages of one conversation, ordered by position, unsent ones at the end. A line is the list item of a message.

import { sameDay } from "../text/format.js";

const GROUP_WITHIN_MS = 5 * 60_000;

export class Timeline extends EventTarget {
  #list;
  #template;
  #painter;
  #userId;
  #lines = new Map();
  #messages = new Map();
  #receipts = { delivered: 0, read: 0 };

  constructor(list, template, painter, userId) {
    super();
    this.#list = list;
    this.#template = template;
    this.#painter = painter;
    this.#userId = userId;
    for (const line of list.children) this.#adopt(line);
    for (const line of list.children) this.#group(line);
    list.addEventListener("click", (event) => this.#click(event));
  }

  has(id) {
    return this.#lines.has(id);
  }

  /** The position of the first message; older ones are on a page that is not loaded yet. */
  get first() {
    const line = this.#list.firstElementChild;
    return line && isStored(line) ? rank(line) : 0;
  }

  /** The line of a message, if it is on the page. */
  line(id) {
    return this.#lines.get(id);
  }

  /** Draw a message, or draw it again: the local echo, the event and the catch-up all use this. */
  show(message, state = {}) {
    const line = this.#lines.get(message.id) ?? this.#createLine(message);
    if (isStored(line) && (state.state || message.version < Number(article(line).dataset.version))) return;
    const next = line.nextElementSibling;
    this.#messages.set(message.id, { message, state });
    this.#painter.draw(article(line), message, state);
    this.#showReceipts(line);
    this.#insert(line);
    for (const touched of [line, line.nextElementSibling, next]) this.#group(touched);
  }

  /** Show these messages in place of all that the server has sent before; unsent ones stay. */
  replace(messages) {
    for (const [id, line] of this.#lines) {
      if (isStored(line)) this.#remove(id);
    }
    for (const message of messages) this.show(message);
  }

  /** Set the positions up to which all others have received and read the messages. */
  setReceipts(all) {
    if (all.delivered === this.#receipts.delivered && all.read === this.#receipts.read) return;
    this.#receipts = all;
    for (const line of this.#list.children) this.#showReceipts(line);
  }

  /** Draw again the messages that mention a person who has been loaded. */
  redrawFor(id) {
    for (const { message, state } of this.#messages.values()) {
      if (!JSON.stringify(message).includes(id)) continue;
      this.#painter.draw(article(this.#lines.get(message.id)), message, state);
      this.#showReceipts(this.#lines.get(message.id));
    }
  }

  /** Show the upload progress of an unsent message, from 0 to 100. */
  progress(id, progress) {
    const line = this.#lines.get(id);
    if (!line || isStored(line)) return;
    line.querySelector("[data-progress]").hidden = false;
    line.querySelector("[data-progress-bar]").value = progress;
  }

  /** Remove an unsent message; one that the server has stays. */
  removeUnsent(id) {
    const line = this.#lines.get(id);
    if (line && !isStored(line)) this.#remove(id);
  }

  #remove(id) {
    const line = this.#lines.get(id);
    const next = line.nextElementSibling;
    line.remove();
    this.#lines.delete(id);
    this.#messages.delete(id);
    this.#group(next);
  }

  #adopt(line) {
    this.#lines.set(article(line).dataset.id, line);
    this.#painter.adopt(article(line));
  }

  #createLine({ id }) {
    const line = document.createElement("li");
    line.className = "line line--new";
    line.id = `m-${id}`;
    line.append(this.#template.content.cloneNode(true));
    this.#lines.set(id, line);
    return line;
  }

  #insert(line) {
    const first = this.#list.firstElementChild;
    if (first && rank(line) < rank(first)) {
      // No animation for an older message: the scroller cannot measure by a line that moves.
      line.classList.remove("line--new");
      return first.before(line);
    }
    let before = this.#list.lastElementChild;
    while (before && (before === line || rank(before) > rank(line))) before = before.previousElementSibling;
    const after = before ? before.nextElementSibling : first;
    if (after !== line) this.#list.insertBefore(line, after);
  }

  #showReceipts(line) {
    const at = rank(line);
    article(line).classList.toggle("message--delivered", at <= this.#receipts.delivered);
    article(line).classList.toggle("message--read", at <= this.#receipts.read);
  }

  /** Mark whose line it is, and whether it begins a day or a group of lines by one sender. */
  #group(line) {
    if (!line?.isConnected) return;
    const { senderId, kind } = article(line).dataset;
    const previous = line.previousElementSibling;
    const day = !previous || !sameDay(moment(previous), moment(line));
    const notice = kind === "notice";
    line.classList.toggle("line--mine", senderId === this.#userId && !notice);
    line.classList.toggle("line--notice", notice);
    line.classList.toggle("line--day", day);
    line.classList.toggle("line--opens", day || notice || !continues(previous, line));
  }

  #click({ target }) {
    const act = target.closest("[data-act]")?.dataset.act;
    if (act) this.dispatchEvent(new CustomEvent(act, { detail: { id: target.closest("[data-id]").dataset.id } }));
  }
}

const article = (line) => line.querySelector("[data-id]");
const isStored = (line) => Boolean(article(line).dataset.position);
const rank = (line) => Number(article(line).dataset.position) || Infinity;
const moment = (line) => line.querySelector("time").dateTime;

function continues(previous, line) {
  const [one, other] = [article(previous).dataset, article(line).dataset];
  return (
    one.senderId === other.senderId &&
    one.kind !== "notice" &&
    Date.parse(moment(line)) - Date.parse(moment(previous)) < GROUP_WITHIN_MS
  );
}
