// Fills in the attachments of a message: images, videos, audio and files, each by its own template.

import { bytes } from "../text/format.js";

const LOOKS = { image: "picture", video: "film", audio: "sound" };
/** Types that browsers do not play: they are shown as files. */
const NOT_PLAYED = new Set(["video/quicktime", "audio/flac"]);

const template = (look) => document.querySelector(`[data-piece-template=${look}]`);

export function fillAttachments(box, media) {
  const key = media.map(({ id, state }) => `${id}${state}`).join();
  box.hidden = !media.length;
  // Unchanged attachments keep their elements: a video goes on playing while its message gets a reaction.
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...media.map(draw));
}

const draw = (media) => {
  const look = media.url && !NOT_PLAYED.has(media.content_type) ? (LOOKS[media.kind] ?? "file") : "file";
  const attachment = template(look).content.firstElementChild.cloneNode(true);
  DRAW[look](attachment, media);
  return attachment;
};

const DRAW = {
  picture(attachment, { url, thumbnail_url: small, filename, width, height }) {
    attachment.href = url;
    const image = attachment.querySelector("[data-image]");
    Object.assign(image, { alt: filename, src: small ?? url });
    if (width) Object.assign(image, { width, height });
  },
  film(attachment, { url, thumbnail_url: poster, filename, width, height }) {
    const film = attachment.querySelector("[data-film]");
    Object.assign(film, { src: url, poster: poster ?? "", ariaLabel: filename });
    if (width) Object.assign(film, { width, height });
  },
  sound(attachment, { url, filename, duration, waveform }) {
    Object.assign(attachment.querySelector("[data-sound]"), { src: url, ariaLabel: filename });
    Object.assign(attachment.dataset, { duration: duration ?? "", waveform: waveform?.join(" ") ?? "" });
  },
  file(attachment, { url, filename, size, state }) {
    if (url) attachment.href = url;
    else attachment.removeAttribute("href");
    attachment.querySelector("[data-name]").textContent = filename;
    const extension = filename.slice(filename.lastIndexOf(".") + 1).toUpperCase();
    const status = state === "ready" || !state ? "" : ` · ${state}`;
    attachment.querySelector("[data-about]").textContent = `${extension} · ${bytes(size)}${status}`;
  },
};
