// Fills in the attachments of a message: images, videos, audio and files, each by its own template.

import { bytes } from "../text/format.js";

const SHOWN_KINDS = ["image", "video", "audio"];
/** Types that browsers do not play: they are shown as files. */
const NOT_PLAYED = new Set(["video/quicktime", "audio/flac"]);

const template = (display) => document.querySelector(`[data-attachment-template=${display}]`);

export function fillAttachments(box, media) {
  const key = media.map(({ id, state }) => `${id}${state}`).join();
  box.hidden = !media.length;
  // Unchanged attachments keep their elements: a video goes on playing while its message gets a reaction.
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...media.map(draw));
}

const draw = (media) => {
  const isShown = media.url && SHOWN_KINDS.includes(media.kind) && !NOT_PLAYED.has(media.content_type);
  const display = isShown ? media.kind : "file";
  const attachment = template(display).content.firstElementChild.cloneNode(true);
  DRAW[display](attachment, media);
  return attachment;
};

const DRAW = {
  image(attachment, { url, thumbnail_url: small, filename, width, height }) {
    attachment.href = url;
    const image = attachment.querySelector("[data-image]");
    Object.assign(image, { alt: filename, src: small ?? url });
    if (width) Object.assign(image, { width, height });
  },
  video(attachment, { url, thumbnail_url: poster, filename, width, height }) {
    const video = attachment.querySelector("[data-video]");
    Object.assign(video, { src: url, poster: poster ?? "", ariaLabel: filename });
    if (width) Object.assign(video, { width, height });
  },
  audio(attachment, { url, filename, duration, waveform }) {
    Object.assign(attachment.querySelector("[data-audio]"), { src: url, ariaLabel: filename });
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
