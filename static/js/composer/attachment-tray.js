// The files that go with what is being written: chosen, dropped or pasted.

import { bytes } from "../text/format.js";

const MOST = 10;

export class Tray extends EventTarget {
  #list;
  #template;
  #files = [];

  constructor(list, template) {
    super();
    this.#list = list;
    this.#template = template;
  }

  get files() {
    return [...this.#files];
  }

  /** Take files in; tell whether there was room for all. */
  add(files) {
    const room = MOST - this.#files.length;
    for (const file of files.slice(0, room)) this.#take(file);
    this.#list.hidden = !this.#files.length;
    this.#emit();
    return files.length <= room;
  }

  /** Give all files away. */
  empty() {
    const files = this.files;
    this.#files = [];
    this.#list.replaceChildren();
    this.#list.hidden = true;
    return files;
  }

  #take(file) {
    this.#files.push(file);
    const parcel = this.#template.content.firstElementChild.cloneNode(true);
    const find = (part) => parcel.querySelector(`[data-parcel-${part}]`);
    find("name").textContent = `${file.name} · ${bytes(file.size)}`;
    if (file.type.startsWith("image/")) this.#preview(find("image"), find("icon"), file);
    find("remove").addEventListener("click", () => this.#remove(parcel, file));
    this.#list.append(parcel);
  }

  #preview(image, icon, file) {
    image.src = URL.createObjectURL(file);
    image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
    image.hidden = false;
    icon.hidden = true;
  }

  #remove(parcel, file) {
    this.#files = this.#files.filter((other) => other !== file);
    parcel.remove();
    this.#list.hidden = !this.#files.length;
    this.#emit();
  }

  #emit() {
    this.dispatchEvent(new CustomEvent("changed"));
  }
}

/** Hear files that are chosen by a button, dropped on a place, or pasted into a field. */
export function hearFiles({ button, input, place, field }, take) {
  button.hidden = false;
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  place.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    place.classList.add("dropping");
  });
  place.addEventListener("dragleave", ({ relatedTarget }) => {
    if (!place.contains(relatedTarget)) place.classList.remove("dropping");
  });
  place.addEventListener("drop", (event) => {
    place.classList.remove("dropping");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
  field.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length || isText(event.clipboardData, files)) return;
    event.preventDefault();
    take(files);
  });
}

/** Office programs put a picture of the cells or words beside the text; file managers put the names of the files. */
function isText(clipboard, files) {
  const lines = clipboard.getData("text/plain").split(/\r?\n/).filter(Boolean);
  const names = new Set(files.map(({ name }) => name));
  return lines.some((line) => !names.has(line.slice(line.lastIndexOf("/") + 1)));
}
