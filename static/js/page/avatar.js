// What stands for a person or a group: initials, and the picture over them where there is one.

import { initials } from "../text/format.js";

export function setFace(avatar, name, url) {
  avatar.textContent = initials(name);
  if (!url) return;
  const image = document.createElement("img");
  avatar.append(Object.assign(image, { className: "avatar__image", src: url, alt: "", loading: "lazy" }));
}
