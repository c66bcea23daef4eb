// A list of people to choose from, beside a text field. The focus stays in the field (the ARIA listbox pattern).

import { tone } from "../text/format.js";
import { isComposing } from "./keyboard.js";
import { setAvatar } from "./avatar.js";

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
    this.#updateExpanded();
    // The field must not lose the focus before a choice is made.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", ({ target }) => {
      this.#choose(this.#options.indexOf(target.closest("[role=option]")));
    });
    field.addEventListener("blur", () => this.hide());
  }

  get isOpen() {
    return !this.#list.hidden;
  }

  show(people) {
    this.#people = people;
    this.#list.replaceChildren(...people.map((person, index) => this.#option(person, index)));
    this.#list.hidden = !people.length;
    this.#updateExpanded();
    this.#activate(people.length ? 0 : -1);
  }

  hide() {
    if (this.isOpen) this.show([]);
  }

  /** Handle a key that belongs to a list. Returns whether it did. */
  handleKey(event) {
    if (!this.isOpen || isComposing(event)) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#activate((this.#active + step + this.#people.length) % this.#people.length);
    else if (event.key === "Enter" || event.key === "Tab") this.#choose(this.#active);
    else if (event.key === "Escape") this.hide();
    else return false;
    event.preventDefault();
    return true;
  }

  /** Only a combobox has an expanded state; a text field has none. */
  #updateExpanded() {
    if (this.#field.role === "combobox") this.#field.ariaExpanded = String(this.isOpen);
  }

  get #options() {
    return [...this.#list.children];
  }

  #activate(index) {
    this.#active = index;
    for (const [at, option] of this.#options.entries()) option.ariaSelected = String(at === index);
    this.#options[index]?.scrollIntoView({ block: "nearest" });
    if (index < 0) this.#field.removeAttribute("aria-activedescendant");
    else this.#field.setAttribute("aria-activedescendant", this.#options[index].id);
  }

  #choose(index) {
    const person = this.#people[index];
    if (!person) return;
    this.hide();
    this.dispatchEvent(new CustomEvent("pick", { detail: person }));
  }

  #option({ id, name, username, avatar }, index) {
    const option = element("li", "listbox__person");
    Object.assign(option, { id: `${this.#list.id}-${index}`, role: "option" });
    const picture = element("span", `avatar tone-${tone(id)}`);
    setAvatar(picture, name, avatar);
    picture.ariaHidden = "true";
    const names = element("span", "listbox__names");
    const shown = Object.assign(element("span", "listbox__name", name), { dir: "auto" });
    names.append(shown, element("span", "listbox__username", `@${username}`));
    option.append(picture, names);
    return option;
  }
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
