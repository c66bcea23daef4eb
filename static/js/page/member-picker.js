// Turns a field of usernames into a search by name. Chosen people become chips; the form still sends usernames.

import { isComposing } from "./keyboard.js";
import { Listbox } from "./listbox.js";

const PAUSE_MS = 150;
const SHORTEST_SEARCH = 2;

export class MemberPicker {
  #hidden;
  #field;
  #chips = document.createElement("ul");
  #status = document.createElement("p");
  #listbox;
  #api;
  #names = new Map();
  #timer = null;

  constructor(field, api) {
    this.#hidden = field;
    this.#api = api;
    this.#field = field.cloneNode();
    this.#build();
    this.#listbox.addEventListener("pick", ({ detail }) => this.#add(detail));
    this.#field.addEventListener("input", () => this.#input());
    this.#field.addEventListener("keydown", (event) => this.#handleKey(event));
    this.#chips.addEventListener("click", ({ target }) => this.#remove(target.closest("[data-username]")));
    field.form.addEventListener("submit", () => this.#updateValue(this.#field.value));
    this.#addNames(field.value);
  }

  get #isSingle() {
    return this.#hidden.dataset.one !== undefined;
  }

  /** Hide the field that the form sends, and show another one, with its label, in its place. */
  #build() {
    const list = Object.assign(document.createElement("ul"), { id: `${this.#hidden.id}-found`, role: "listbox" });
    list.className = "listbox listbox--below";
    list.ariaLabel = "People found";
    list.hidden = true;
    this.#chips.className = "chips";
    this.#chips.ariaLabel = "Chosen";
    this.#status.className = "picker__status";
    this.#status.role = "status";
    this.#field.removeAttribute("name");
    this.#field.required = this.#hidden.required = false;
    this.#field.role = "combobox";
    this.#hidden.removeAttribute("id");
    this.#hidden.type = "hidden";
    this.#hidden.before(this.#chips, this.#field, list, this.#status);
    this.#field.parentElement.classList.add("picker");
    this.#listbox = new Listbox(list, this.#field);
  }

  #input() {
    if (/[,;]/.test(this.#field.value)) this.#addNames(this.#field.value);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(), PAUSE_MS);
  }

  get #query() {
    return this.#field.value.trim().replace(/^@/, "");
  }

  async #search() {
    const text = this.#query;
    if (text.length < SHORTEST_SEARCH) return this.#show([]);
    const found = await this.#api.search(text, this.#hidden.dataset.picker).catch(() => null);
    if (found && text === this.#query) this.#show(found, "No one found.");
  }

  #show(found, none = "") {
    const others = found.map(asPerson).filter(({ username }) => !this.#names.has(username));
    this.#listbox.show(others);
    this.#status.textContent = others.length ? "" : none;
  }

  #handleKey(event) {
    if (this.#listbox.handleKey(event) || isComposing(event)) return;
    if (event.key === "Backspace" && !this.#field.value) this.#remove(this.#chips.lastElementChild?.firstElementChild);
    if (event.key !== "Enter" || !this.#field.value.trim()) return;
    event.preventDefault();
    this.#addNames(this.#field.value);
  }

  /** Add usernames as they are typed; the server reports those that do not exist. */
  #addNames(text) {
    const names = text.split(/[,;]/).map((name) => name.trim().replace(/^@/, ""));
    for (const name of names.filter(Boolean)) this.#add({ username: name });
  }

  #add({ username, name = username }) {
    this.#field.value = "";
    this.#show([]);
    if (this.#isSingle) this.#names.clear();
    this.#names.set(username, name);
    this.#draw();
  }

  #remove(chip) {
    if (!chip) return;
    this.#names.delete(chip.dataset.username);
    this.#draw();
    this.#field.focus();
  }

  #draw() {
    this.#updateValue();
    this.#chips.replaceChildren(...[...this.#names].map(([username, name]) => chip(username, name)));
  }

  /** Text that was typed but not chosen is sent as it is: the server looks it up. */
  #updateValue(unchosen = "") {
    this.#hidden.value = [...this.#names.keys(), unchosen.trim()].filter(Boolean).join(", ");
  }
}

const asPerson = ({ id, display_name: name, username, avatar_url: avatar }) => {
  return { id, name: name || username, username, avatar };
};

function chip(username, name) {
  const [item, button] = [document.createElement("li"), document.createElement("button")];
  Object.assign(button, { type: "button", className: "chip", textContent: name, dir: "auto" });
  button.title = `Remove ${name}`;
  button.dataset.username = username;
  item.append(button);
  return item;
}
