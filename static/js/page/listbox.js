// People to choose from, below or above the field in which one types; the focus stays in the field (ARIA's listbox).

import { tone } from "../text/format.js";
import { isComposing } from "./keyboard.js";
import { setFace } from "./avatar.js";

export class Listbox extends EventTarget {
  #list;
  #field;
  #people = [];
  #active = -1;

  constructor(list, field) {
    super();
    this.#list = list;
    this.#field = field;
    field.ariaAutoComplete = "list";
    field.setAttribute("aria-controls", list.id);
    this.#tellState();
    // The field must not lose the focus before a choice is made.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", ({ target }) => this.#pick(this.#options.indexOf(target.closest("[role=option]"))));
    field.addEventListener("blur", () => this.hide());
  }

  get isOpen() {
    return !this.#list.hidden;
  }

  show(people) {
    this.#people = people;
    this.#list.replaceChildren(...people.map((person, index) => this.#option(person, index)));
    this.#list.hidden = !people.length;
    this.#tellState();
    this.#move(people.length ? 0 : -1);
  }

  hide() {
    if (this.isOpen) this.show([]);
  }

  /** Use a key, if it is one of a list; tell whether it was. */
  key(event) {
    if (!this.isOpen || isComposing(event)) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#move((this.#active + step + this.#people.length) % this.#people.length);
    else if (event.key === "Enter" || event.key === "Tab") this.#pick(this.#active);
    else if (event.key === "Escape") this.hide();
    else return false;
    event.preventDefault();
    return true;
  }

  /** A text field that is no combobox has no such state. */
  #tellState() {
    if (this.#field.role === "combobox") this.#field.ariaExpanded = String(this.isOpen);
  }

  get #options() {
    return [...this.#list.children];
  }

  #move(index) {
    this.#active = index;
    for (const [at, option] of this.#options.entries()) option.ariaSelected = String(at === index);
    this.#options[index]?.scrollIntoView({ block: "nearest" });
    if (index < 0) this.#field.removeAttribute("aria-activedescendant");
    else this.#field.setAttribute("aria-activedescendant", this.#options[index].id);
  }

  #pick(index) {
    const person = this.#people[index];
    if (!person) return;
    this.hide();
    this.dispatchEvent(new CustomEvent("pick", { detail: person }));
  }

  #option({ id, name, username, avatar }, index) {
    const option = element("li", "suggest__person");
    Object.assign(option, { id: `${this.#list.id}-${index}`, role: "option" });
    const face = element("span", `avatar tone-${tone(id)}`);
    setFace(face, name, avatar);
    face.ariaHidden = "true";
    const names = element("span", "suggest__names");
    const shown = Object.assign(element("span", "suggest__name", name), { dir: "auto" });
    names.append(shown, element("span", "suggest__username", `@${username}`));
    option.append(face, names);
    return option;
  }
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
