// The avatar of a person or a group: initials, and over them the picture if there is one.

import { initials } from "../text/format.js";

export function setAvatar(avatar, name, url) {
  avatar.textContent = initials(name);
  if (!url) return;
  const image = document.createElement("img");
  avatar.append(Object.assign(image, { className: "avatar__image", src: url, alt: "", loading: "lazy" }));
}
