// Makes a field of usernames a search by name: whoever is chosen becomes a chip. The form sends the usernames as before.

import { isComposing } from "./keyboard.js";
import { Listbox } from "./listbox.js";

const PAUSE = 150;
const LEAST = 2;

export class Picker {
  #kept;
  #field;
  #chips = document.createElement("ul");
  #status = document.createElement("p");
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
    kept.form.addEventListener("submit", () => this.#write(this.#field.value));
    this.#take(kept.value);
  }

  get #isOne() {
    return this.#kept.dataset.one !== undefined;
  }

  /** The field that is sent is hidden; another, with its label, stands in its place. */
  #dress() {
    const list = Object.assign(document.createElement("ul"), { id: `${this.#kept.id}-found`, role: "listbox" });
    list.className = "suggest suggest--below";
    list.ariaLabel = "People found";
    list.hidden = true;
    this.#chips.className = "chips";
    this.#chips.ariaLabel = "Chosen";
    this.#status.className = "picker__status";
    this.#status.role = "status";
    this.#field.removeAttribute("name");
    this.#field.required = this.#kept.required = false;
    this.#field.role = "combobox";
    this.#kept.removeAttribute("id");
    this.#kept.type = "hidden";
    this.#kept.before(this.#chips, this.#field, list, this.#status);
    this.#field.parentElement.classList.add("picker");
    this.#listbox = new Listbox(list, this.#field);
  }

  #input() {
    if (/[,;]/.test(this.#field.value)) this.#take(this.#field.value);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(), PAUSE);
  }

  get #sought() {
    return this.#field.value.trim().replace(/^@/, "");
  }

  async #search() {
    const text = this.#sought;
    if (text.length < LEAST) return this.#show([]);
    const found = await this.#api.search(text, this.#kept.dataset.picker).catch(() => null);
    if (found && text === this.#sought) this.#show(found, "Nobody whom you could choose has a name that begins so.");
  }

  #show(found, none = "") {
    const people = found.map(({ id, display_name: name, username, avatar_url: avatar }) => ({ id, name: name || username, username, avatar }));
    const others = people.filter(({ username }) => !this.#names.has(username));
    this.#listbox.show(others);
    this.#status.textContent = others.length ? "" : none;
  }

  #key(event) {
    if (this.#listbox.key(event) || isComposing(event)) return;
    if (event.key === "Backspace" && !this.#field.value) this.#drop(this.#chips.lastElementChild?.firstElementChild);
    if (event.key !== "Enter" || !this.#field.value.trim()) return;
    event.preventDefault();
    this.#take(this.#field.value);
  }

  /** Whoever is named by username is taken as they are; the server says if there is nobody of that name. */
  #take(text) {
    const names = text.split(/[,;]/).map((name) => name.trim().replace(/^@/, ""));
    for (const name of names.filter(Boolean)) this.#add({ username: name });
  }

  #add({ username, name = username }) {
    this.#field.value = "";
    this.#show([]);
    if (this.#isOne) this.#names.clear();
    this.#names.set(username, name);
    this.#draw();
  }

  #drop(chip) {
    if (!chip) return;
    this.#names.delete(chip.dataset.username);
    this.#draw();
    this.#field.focus();
  }

  #draw() {
    this.#write();
    this.#chips.replaceChildren(...[...this.#names].map(([username, name]) => chip(username, name)));
  }

  /** What was not chosen is sent as it stands: the server looks for it. */
  #write(unchosen = "") {
    this.#kept.value = [...this.#names.keys(), unchosen.trim()].filter(Boolean).join(", ");
  }
}

function chip(username, name) {
  const [item, button] = [document.createElement("li"), document.createElement("button")];
  Object.assign(button, { type: "button", className: "chip", textContent: name, title: `Take ${name} out again`, dir: "auto" });
  button.dataset.username = username;
  item.append(button);
  return item;
}
