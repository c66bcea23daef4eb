// Where one writes. Enter sends, Shift and Enter begin a new line; on a phone the button sends.
// What is written may answer a message, or be another text for one.

import { cut } from "../text/graphemes.js";
import { isComposing } from "../page/keyboard.js";

export class Composer extends EventTarget {
  #form;
  #field;
  #draft;
  #tray;
  #topic = null;
  #aside = "";

  constructor(form, draft, tray) {
    super();
    this.#form = form;
    this.#field = form.elements.text;
    this.#draft = draft;
    this.#tray = tray;
    this.#write(draft.text || this.#field.value);
    this.#field.required = false;
    form.addEventListener("submit", (event) => this.#send(event));
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("input", () => this.#input());
    this.#field.addEventListener("blur", () => this.#rest());
    this.#find("topic-end").addEventListener("click", () => this.#end());
    draft.addEventListener("elsewhere", ({ detail }) => this.#topic?.edits || this.#write(detail.text));
    if (!this.#byTouch) this.#field.focus();
  }

  reply({ id, sender, text }) {
    this.#end();
    this.#begin({ id }, `Reply to ${sender}`, text);
  }

  edit({ id, text, isLaden }) {
    this.#end();
    this.#aside = this.#field.value;
    this.#begin({ id, edits: true, isLaden }, "Edit your message", text);
    this.#write(text);
  }

  /** Take files in, to be sent with what is written. */
  attach(files) {
    this.complain(this.#tray.add(files) ? "" : "A message holds ten files at most.");
    this.#field.focus();
  }

  /** What is written here and not sent, beside an edit as well. */
  get words() {
    return [this.#topic?.edits ? this.#aside : "", this.#field.value].filter((text) => text.trim());
  }

  /** An edit was refused: its text is not lost. */
  again(id, text) {
    this.edit({ id, text });
  }

  /** Say what went wrong, until something else is written. */
  complain(text) {
    this.#find("trouble").textContent = text;
    this.#find("trouble").hidden = !text;
  }

  get #byTouch() {
    return matchMedia("(pointer: coarse)").matches;
  }

  #find(part) {
    return this.#form.querySelector(`[data-${part}]`);
  }

  #begin(topic, title, text) {
    this.#topic = topic;
    this.#find("topic-title").textContent = title;
    this.#find("topic-text").textContent = cut(text, 200);
    this.#find("topic").hidden = false;
    this.#field.focus();
  }

  #end() {
    if (this.#topic?.edits) this.#write(this.#aside);
    this.#topic = null;
    this.#find("topic").hidden = true;
    this.complain("");
  }

  #write(text) {
    if (this.#field.value === text) return;
    this.#field.value = text;
    this.#field.setSelectionRange(text.length, text.length);
  }

  #input() {
    this.complain("");
    if (this.#topic?.edits) return;
    this.#draft.write(this.#field.value);
    this.#emit("typing", { goesOn: Boolean(this.#field.value.trim()) });
  }

  #rest() {
    this.#draft.rest();
    this.#emit("typing", { goesOn: false });
  }

  /** An input method uses Enter to choose a word; that one is not ours, nor is one that chose a name. */
  #key(event) {
    if (event.defaultPrevented || isComposing(event)) return;
    if (event.key === "Escape" && this.#topic) this.#end();
    if (event.key !== "Enter" || event.shiftKey || this.#byTouch) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #send(event) {
    event.preventDefault();
    const [text, topic] = [this.#field.value, this.#topic];
    const files = topic?.edits ? [] : this.#tray.empty();
    if (!text.trim() && !files.length && !topic?.isLaden) return;
    if (topic?.edits) {
      this.#end();
      this.#emit("edit", { id: topic.id, text });
    } else {
      this.#write("");
      this.#draft.clear();
      this.#end();
      this.#emit("typing", { goesOn: false });
      this.#emit("write", { text, files, replyTo: topic?.id });
    }
    this.#field.focus();
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
