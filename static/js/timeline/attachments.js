// Fills in what hangs on a message: pictures, film, sound and files, each by the one markup that it has.

import { bytes } from "../text/format.js";

const LOOKS = { image: "picture", video: "film", audio: "sound" };
/** What browsers do not play. */
const SAVED = new Set(["video/quicktime", "audio/flac"]);

const template = (look) => document.querySelector(`[data-piece-template=${look}]`);

export function fillPieces(box, media) {
  const key = media.map(({ id, state }) => `${id}${state}`).join();
  box.hidden = !media.length;
  // What is there stays: a film goes on playing while its message gets a reaction.
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...media.map(drawn));
}

const drawn = (media) => {
  const look = media.url && !SAVED.has(media.content_type) ? (LOOKS[media.kind] ?? "file") : "file";
  const piece = template(look).content.firstElementChild.cloneNode(true);
  DRAW[look](piece, media);
  return piece;
};

const DRAW = {
  picture(piece, { url, thumbnail_url: small, filename, width, height }) {
    piece.href = url;
    const image = piece.querySelector("[data-image]");
    Object.assign(image, { alt: filename, src: small ?? url });
    if (width) Object.assign(image, { width, height });
  },
  film(piece, { url, thumbnail_url: poster, filename, width, height }) {
    const film = piece.querySelector("[data-film]");
    Object.assign(film, { src: url, poster: poster ?? "", ariaLabel: filename });
    if (width) Object.assign(film, { width, height });
  },
  sound(piece, { url, filename, duration, waveform }) {
    Object.assign(piece.querySelector("[data-sound]"), { src: url, ariaLabel: filename });
    Object.assign(piece.dataset, { duration: duration ?? "", waveform: waveform?.join(" ") ?? "" });
  },
  file(piece, { url, filename, size, state }) {
    if (url) piece.href = url;
    else piece.removeAttribute("href");
    piece.querySelector("[data-name]").textContent = filename;
    const ending = filename.slice(filename.lastIndexOf(".") + 1).toUpperCase();
    const words = state === "ready" || !state ? "" : ` · ${state}`;
    piece.querySelector("[data-about]").textContent = `${ending} · ${bytes(size)}${words}`;
  },
};
