// Brings one file to the storage, past the server, and waits until it was looked at.

import { Refusal } from "./refusal.js";

const LOOK_AGAIN = 1500;

/** Upload a file; the promise holds its id. `tell` hears how far it is, from 0 to 1. */
export async function upload(api, file, { tell, signal }) {
  tell(0);
  const { media, upload: place } = await api.beginUpload(describe(file));
  await send(place, file, tell, signal);
  const shown = await api.completeUpload(media.id);
  return (await ready(api, shown, signal)).id;
}

/** Browsers name no type for what they do not know; the ending often does. */
const TYPES = { md: "text/markdown", csv: "text/csv", m4a: "audio/mp4", flac: "audio/flac", avif: "image/avif" };
const describe = ({ name, type, size }) => {
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return { name, size, type: type || TYPES[ending] || "application/octet-stream" };
};

/** The storage's own no is final, but for a place that has expired; no answer at all is none. */
function send({ url, fields }, file, tell, signal) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = ({ loaded, total }) => tell(loaded / total);
    request.onload = () => (request.status < 300 ? resolve() : reject(refusalOf(request.status)));
    request.onerror = () => reject(new TypeError("The storage does not answer."));
    request.onabort = () => reject(new DOMException("Discarded", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", url);
    request.send(form);
  });
}

const refusalOf = (status) =>
  status >= 500 || status === 403
    ? new Refusal({ code: "unavailable", detail: "The storage did not take the file. It is tried again.", retry_after: 5 })
    : new Refusal({ code: "unprocessable", detail: "The storage did not take the file." });

async function ready(api, shown, signal) {
  let media = shown;
  while (media.state === "processing") {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
    signal.throwIfAborted();
    media = await api.mediaState(media.id);
  }
  if (media.state !== "ready") throw new Refusal({ code: "unprocessable", detail: media.reason ?? "This file can't be sent." });
  return media;
}
