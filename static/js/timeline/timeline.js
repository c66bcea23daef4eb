// The lines of one conversation, ordered by position; what is not sent yet stands at the end.

import { sameDay } from "../text/format.js";

const PAUSE = 5 * 60_000;

export class Timeline extends EventTarget {
  #list;
  #template;
  #painter;
  #userId;
  #lines = new Map();
  #messages = new Map();
  #reached = { delivered: 0, read: 0 };

  constructor(list, template, painter, userId) {
    super();
    this.#list = list;
    this.#template = template;
    this.#painter = painter;
    this.#userId = userId;
    for (const line of list.children) this.#adopt(line);
    for (const line of list.children) this.#arrange(line);
    list.addEventListener("click", (event) => this.#act(event));
  }

  has(id) {
    return this.#lines.has(id);
  }

  /** The position of the first line; what is older and unknown belongs to a page that was not fetched yet. */
  get first() {
    const line = this.#list.firstElementChild;
    return line && isStored(line) ? rank(line) : 0;
  }

  /** The line of a message, if it stands here. */
  line(id) {
    return this.#lines.get(id);
  }

  /** Draw a message, or draw it anew: the echo, the event and the catch-up alike. */
  show(message, look = {}) {
    const line = this.#lines.get(message.id) ?? this.#blank(message);
    if (isStored(line) && (look.state || message.version < Number(article(line).dataset.version))) return;
    const follower = line.nextElementSibling;
    this.#messages.set(message.id, { message, look });
    this.#painter.draw(article(line), message, look);
    this.#tick(line);
    this.#place(line);
    for (const touched of [line, line.nextElementSibling, follower]) this.#arrange(touched);
  }

  /** All others have had, and have read, what stands up to these positions. */
  reach(all) {
    if (all.delivered === this.#reached.delivered && all.read === this.#reached.read) return;
    this.#reached = all;
    for (const line of this.#list.children) this.#tick(line);
  }

  /** Draw anew what speaks of someone whose name has become known. */
  meet(id) {
    for (const { message, look } of this.#messages.values()) {
      if (!JSON.stringify(message).includes(id)) continue;
      this.#painter.draw(article(this.#lines.get(message.id)), message, look);
      this.#tick(this.#lines.get(message.id));
    }
  }

  /** Show how far an unsent line is, from 0 to 100. */
  progress(id, progress) {
    const line = this.#lines.get(id);
    if (!line || isStored(line)) return;
    line.querySelector("[data-progress]").hidden = false;
    line.querySelector("[data-progress-bar]").value = progress;
  }

  /** Take an unsent line away; what the server has stays. */
  forget(id) {
    const line = this.#lines.get(id);
    if (!line || isStored(line)) return;
    const follower = line.nextElementSibling;
    line.remove();
    this.#lines.delete(id);
    this.#messages.delete(id);
    this.#arrange(follower);
  }

  #adopt(line) {
    this.#lines.set(article(line).dataset.id, line);
    this.#painter.adopt(article(line));
  }

  #blank({ id }) {
    const line = document.createElement("li");
    line.className = "line line--new";
    line.id = `m-${id}`;
    line.append(this.#template.content.cloneNode(true));
    this.#lines.set(id, line);
    return line;
  }

  #place(line) {
    const first = this.#list.firstElementChild;
    if (first && rank(line) < rank(first)) {
      // What is older does not arrive: a line that moves by itself is no place to measure by.
      line.classList.remove("line--new");
      return first.before(line);
    }
    let before = this.#list.lastElementChild;
    while (before && (before === line || rank(before) > rank(line))) before = before.previousElementSibling;
    const after = before ? before.nextElementSibling : first;
    if (after !== line) this.#list.insertBefore(line, after);
  }

  #tick(line) {
    const at = rank(line);
    article(line).classList.toggle("message--delivered", at <= this.#reached.delivered);
    article(line).classList.toggle("message--read", at <= this.#reached.read);
  }

  /** Whose line it is, and whether it opens a day or a group of one sender's lines. */
  #arrange(line) {
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

  #act({ target }) {
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
    Date.parse(moment(line)) - Date.parse(moment(previous)) < PAUSE
  );
}
