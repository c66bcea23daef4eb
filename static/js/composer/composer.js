// The form in which messages are written. Enter sends, Shift+Enter begins a new line; on a phone the button sends.
// The text may be a reply to a message, or an edit of one: that message is the topic.

import { cut } from "../text/graphemes.js";
import { isComposing } from "../page/keyboard.js";

export class Composer extends EventTarget {
  #form;
  #field;
  #draft;
  #tray;
  #topic = null;
  #textBeforeEdit = "";

  constructor(form, draft, tray) {
    super();
    this.#form = form;
    this.#field = form.elements.text;
    this.#draft = draft;
    this.#tray = tray;
    this.#setText(draft.text || this.#field.value);
    this.#field.required = false;
    form.addEventListener("submit", (event) => this.#send(event));
    this.#field.addEventListener("keydown", (event) => this.#handleKey(event));
    this.#field.addEventListener("input", () => this.#input());
    this.#field.addEventListener("blur", () => this.#pause());
    this.#find("topic-end").addEventListener("click", () => this.#clearTopic());
    draft.addEventListener("changed", ({ detail }) => this.#topic?.edits || this.#setText(detail.text));
    if (!this.#isTouch) this.#field.focus();
  }

  reply({ id, sender, text }) {
    this.#clearTopic();
    this.#setTopic({ id }, `Reply to ${sender}`, text);
  }

  edit({ id, text, hasMedia }) {
    this.#clearTopic();
    this.#textBeforeEdit = this.#field.value;
    this.#setTopic({ id, edits: true, hasMedia }, "Edit your message", text);
    this.#setText(text);
  }

  /** Attach files to the message that is being written. */
  attach(files) {
    this.showError(this.#tray.add(files) ? "" : "A message holds ten files at most.");
    this.#field.focus();
  }

  /** The texts that are written here and not sent, also the one that an edit interrupted. */
  get unsentTexts() {
    return [this.#topic?.edits ? this.#textBeforeEdit : "", this.#field.value].filter((text) => text.trim());
  }

  /** An edit was refused: offer its text again. */
  editAgain(id, text) {
    this.edit({ id, text });
  }

  /** Show an error until the reader writes on. */
  showError(text) {
    this.#find("trouble").textContent = text;
    this.#find("trouble").hidden = !text;
  }

  get #isTouch() {
    return matchMedia("(pointer: coarse)").matches;
  }

  #find(part) {
    return this.#form.querySelector(`[data-${part}]`);
  }

  #setTopic(topic, title, text) {
    this.#topic = topic;
    this.#find("topic-title").textContent = title;
    this.#find("topic-text").textContent = cut(text, 200);
    this.#find("topic").hidden = false;
    this.#field.focus();
  }

  #clearTopic() {
    if (this.#topic?.edits) this.#setText(this.#textBeforeEdit);
    this.#topic = null;
    this.#find("topic").hidden = true;
    this.showError("");
  }

  #setText(text) {
    if (this.#field.value === text) return;
    this.#field.value = text;
    this.#field.setSelectionRange(text.length, text.length);
  }

  #input() {
    this.showError("");
    if (this.#topic?.edits) return;
    this.#draft.write(this.#field.value);
    this.#emit("typing", { isTyping: Boolean(this.#field.value.trim()) });
  }

  #pause() {
    this.#draft.pause();
    this.#emit("typing", { isTyping: false });
  }

  /** Ignore keys that an input method or the list of mentions has used. */
  #handleKey(event) {
    if (event.defaultPrevented || isComposing(event)) return;
    if (event.key === "Escape" && this.#topic) this.#clearTopic();
    if (event.key !== "Enter" || event.shiftKey || this.#isTouch) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #send(event) {
    event.preventDefault();
    const [text, topic] = [this.#field.value, this.#topic];
    const files = topic?.edits ? [] : this.#tray.empty();
    if (!text.trim() && !files.length && !topic?.hasMedia) return;
    if (topic?.edits) {
      this.#clearTopic();
      this.#emit("edit", { id: topic.id, text });
    } else {
      this.#setText("");
      this.#draft.clear();
      this.#clearTopic();
      this.#emit("typing", { isTyping: false });
      this.#emit("send", { text, files, replyTo: topic?.id });
    }
    this.#field.focus();
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
