// Makes a field of usernames a search: whoever is found or named becomes a chip. The form sends the names as before.

import { isComposing } from "./keys.js";
import { Listbox } from "./listbox.js";

const PAUSE = 150;
const LEAST = 2;

export class Picker {
  #kept;
  #field;
  #chips = document.createElement("ul");
  #listbox;
  #api;
  #names = new Map();
  #timer = null;

  constructor(kept, api) {
    this.#kept = kept;
    this.#api = api;
    this.#field = kept.cloneNode();
    this.#dress();
    this.#listbox.addEventListener("pick", ({ detail }) => this.#add(detail));
    this.#field.addEventListener("input", () => this.#input());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#chips.addEventListener("click", ({ target }) => this.#drop(target.closest("[data-username]")));
    kept.form.addEventListener("submit", () => this.#take(this.#field.value));
    this.#take(kept.value);
  }

  /** The field that is sent is hidden; another, with its label, stands in its place. */
  #dress() {
    const list = Object.assign(document.createElement("ul"), { id: `${this.#kept.id}-found`, role: "listbox" });
    list.className = "suggest suggest--below";
    list.ariaLabel = "People found";
    list.hidden = true;
    this.#chips.className = "chips";
    this.#field.removeAttribute("name");
    this.#field.required = this.#kept.required = false;
    this.#field.role = "combobox";
    this.#kept.removeAttribute("id");
    this.#kept.type = "hidden";
    this.#kept.before(this.#chips, this.#field, list);
    this.#field.parentElement.classList.add("picker");
    this.#listbox = new Listbox(list, this.#field);
  }

  #input() {
    if (/[\s,;]/.test(this.#field.value)) this.#take(this.#field.value);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(), PAUSE);
  }

  async #search() {
    const text = this.#field.value.trim().replace(/^@/, "");
    if (text.length < LEAST) return this.#listbox.hide();
    const found = await this.#api.search(text).catch(() => []);
    if (text !== this.#field.value.trim().replace(/^@/, "")) return;
    const people = found.map(({ id, display_name: name, username }) => ({ id, name: name || username, username }));
    this.#listbox.show(people.filter(({ username }) => !this.#names.has(username)));
  }

  #key(event) {
    if (this.#listbox.key(event) || isComposing(event)) return;
    if (event.key === "Backspace" && !this.#field.value) this.#drop(this.#chips.lastElementChild?.firstElementChild);
    if (event.key !== "Enter" || !this.#field.value.trim()) return;
    event.preventDefault();
    this.#take(this.#field.value);
  }

  /** Whoever is named with all letters is taken as they are; the server says if there is nobody of that name. */
  #take(text) {
    for (const name of text.split(/[\s,;]+/).filter(Boolean)) this.#add({ username: name.replace(/^@/, "").toLowerCase() });
  }

  #add({ username, name = username }) {
    this.#field.value = "";
    if (username) this.#names.set(username, name);
    this.#draw();
  }

  #drop(chip) {
    if (!chip) return;
    this.#names.delete(chip.dataset.username);
    this.#draw();
    this.#field.focus();
  }

  #draw() {
    this.#kept.value = [...this.#names.keys()].join(" ");
    this.#chips.replaceChildren(...[...this.#names].map(([username, name]) => chip(username, name)));
  }
}

function chip(username, name) {
  const [item, button] = [document.createElement("li"), document.createElement("button")];
  Object.assign(button, { type: "button", className: "chip", textContent: name, title: `Take ${name} out again` });
  button.dataset.username = username;
  item.append(button);
  return item;
}
