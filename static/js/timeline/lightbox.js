// Shows the pictures of a list one by one in full size; mouse, keys and touch work.

const SWIPE_PX = 50;

export class Lightbox {
  #dialog;
  #list;
  #links = [];
  #at = 0;
  #touch = 0;

  constructor(dialog, list) {
    this.#dialog = dialog;
    this.#list = list;
    list.addEventListener("click", (event) => this.#open(event));
    dialog.addEventListener("keydown", ({ key }) => this.#step({ ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0));
    dialog.addEventListener("click", ({ target }) => this.#click(target));
    dialog.addEventListener("pointerdown", ({ clientX }) => (this.#touch = clientX));
    dialog.addEventListener("pointerup", ({ clientX, pointerType }) => {
      const step = clientX - this.#touch;
      if (pointerType !== "mouse" && Math.abs(step) > SWIPE_PX) this.#step(step < 0 ? 1 : -1);
    });
    dialog.addEventListener("close", () => this.#find("image").removeAttribute("src"));
  }

  #find(part) {
    return this.#dialog.querySelector(`[data-lightbox-${part}]`);
  }

  /** With a modifier key the browser treats it as any link. */
  #open(event) {
    const link = event.target.closest("[data-attachment=image]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#links = [...this.#list.querySelectorAll("[data-attachment=image]")];
    this.#show(this.#links.indexOf(link));
    this.#dialog.showModal();
  }

  #click(target) {
    const step = target.closest("[data-lightbox-step]")?.dataset.lightboxStep;
    if (step) this.#step(Number(step));
    else if (!target.closest("[data-lightbox-image]")) this.#dialog.close();
  }

  #step(step) {
    if (step && this.#links[this.#at + step]) this.#show(this.#at + step);
  }

  #show(at) {
    this.#at = at;
    const link = this.#links[at];
    const name = link.querySelector("img").alt;
    Object.assign(this.#find("image"), { src: link.href, alt: name });
    this.#find("name").textContent = name;
    for (const button of this.#dialog.querySelectorAll("[data-lightbox-step]")) {
      button.hidden = !this.#links[at + Number(button.dataset.lightboxStep)];
    }
  }
}
