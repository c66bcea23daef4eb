// The files that are attached to the message being written: chosen, dropped or pasted.

import { bytes } from "../text/format.js";

const MOST_FILES = 10;

export class AttachmentTray extends EventTarget {
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

  /** Add files. Returns whether there was room for all of them. */
  add(files) {
    const room = MOST_FILES - this.#files.length;
    for (const file of files.slice(0, room)) this.#append(file);
    this.#list.hidden = !this.#files.length;
    this.#emit();
    return files.length <= room;
  }

  /** Remove all files and return them. */
  empty() {
    const files = this.files;
    this.#files = [];
    this.#list.replaceChildren();
    this.#list.hidden = true;
    return files;
  }

  #append(file) {
    this.#files.push(file);
    const item = this.#template.content.firstElementChild.cloneNode(true);
    const find = (part) => item.querySelector(`[data-parcel-${part}]`);
    find("name").textContent = `${file.name} · ${bytes(file.size)}`;
    if (file.type.startsWith("image/")) this.#preview(find("image"), find("icon"), file);
    find("remove").addEventListener("click", () => this.#remove(item, file));
    this.#list.append(item);
  }

  #preview(image, icon, file) {
    image.src = URL.createObjectURL(file);
    image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
    image.hidden = false;
    icon.hidden = true;
  }

  #remove(item, file) {
    this.#files = this.#files.filter((other) => other !== file);
    item.remove();
    this.#list.hidden = !this.#files.length;
    this.#emit();
  }

  #emit() {
    this.dispatchEvent(new CustomEvent("changed"));
  }
}

/** Call `onFiles` with files that are chosen by a button, dropped on an element, or pasted into a field. */
export function listenForFiles({ button, input, dropTarget, field }, onFiles) {
  button.hidden = false;
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    onFiles([...input.files]);
    input.value = "";
  });
  dropTarget.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    dropTarget.classList.add("dropping");
  });
  dropTarget.addEventListener("dragleave", ({ relatedTarget }) => {
    if (!dropTarget.contains(relatedTarget)) dropTarget.classList.remove("dropping");
  });
  dropTarget.addEventListener("drop", (event) => {
    dropTarget.classList.remove("dropping");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    onFiles([...event.dataTransfer.files]);
  });
  field.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length || isText(event.clipboardData, files)) return;
    event.preventDefault();
    onFiles(files);
  });
}

/** Whether to paste the text: office programs add a picture of it; file managers add only the names of the files. */
function isText(clipboard, files) {
  const lines = clipboard.getData("text/plain").split(/\r?\n/).filter(Boolean);
  const names = new Set(files.map(({ name }) => name));
  return lines.some((line) => !names.has(line.slice(line.lastIndexOf("/") + 1)));
}
