// Uploads one file directly to the object storage and waits until the server has processed it.

import { Refusal } from "./refusal.js";

const POLL_MS = 1500;

/** Upload a file; the promise resolves with its media id. `onProgress` is called with a fraction from 0 to 1. */
export async function upload(api, file, { onProgress, signal }) {
  onProgress(0);
  const { media, upload: target } = await api.beginUpload(describe(file));
  await post(target, file, onProgress, signal);
  const completed = await api.completeUpload(media.id);
  return (await untilReady(api, completed, signal)).id;
}

/** Browsers give no type for files they do not know; the file extension often tells. */
const TYPES = { md: "text/markdown", csv: "text/csv", m4a: "audio/mp4", flac: "audio/flac", avif: "image/avif" };
const describe = ({ name, type, size }) => {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return { name, size, type: type || TYPES[extension] || "application/octet-stream" };
};

/** A refusal by the storage is final, unless the upload form has expired. No answer at all is a network error. */
function post({ url, fields }, file, onProgress, signal) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
    request.onload = () => (request.status < 300 ? resolve() : reject(refusalOf(request.status)));
    request.onerror = () => reject(new TypeError("The storage does not answer."));
    request.onabort = () => reject(new DOMException("Discarded", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", url);
    request.send(form);
  });
}

const refusalOf = (status) => {
  const detail = "The storage did not take the file.";
  if (status < 500 && status !== 403) return new Refusal({ code: "unprocessable", detail });
  return new Refusal({ code: "unavailable", detail: `${detail} Trying again.`, retry_after: 5 });
};

async function untilReady(api, completed, signal) {
  let media = completed;
  while (media.state === "processing") {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    signal.throwIfAborted();
    media = await api.mediaState(media.id);
  }
  if (media.state === "ready") return media;
  throw new Refusal({ code: "unprocessable", detail: media.reason ?? "This file can't be sent." });
}
