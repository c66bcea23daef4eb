// The player of audio attachments: a button, the waveform and the time. Without scripts the browser's own is shown.

import { minutes } from "../text/format.js";

/** Turn the audio elements in a list into players, also those that are added later. */
export function enableAudioPlayers(list) {
  const enableAll = () => {
    for (const attachment of list.querySelectorAll("[data-attachment=audio]:not([data-live])")) addControls(attachment);
  };
  enableAll();
  new MutationObserver(enableAll).observe(list, { childList: true, subtree: true });
}

function addControls(attachment) {
  attachment.dataset.live = "";
  const audio = attachment.querySelector("[data-audio]");
  const peaks = attachment.dataset.waveform.split(" ").filter(Boolean).map(Number);
  const length = () => Number(attachment.dataset.duration) || audio.duration || 0;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "audio__button" });
  const wave = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 1000, value: 0 });
  Object.assign(wave, { className: "audio__wave", ariaLabel: "Position" });
  const time = Object.assign(document.createElement("span"), { className: "audio__time" });
  audio.controls = false;
  wave.style.setProperty("--wave", shape(peaks));

  const show = () => {
    button.textContent = audio.paused ? "▶" : "❚❚";
    button.ariaLabel = audio.paused ? "Play" : "Pause";
    const part = length() ? audio.currentTime / length() : 0;
    wave.value = 1000 * part;
    wave.style.setProperty("--part", `${100 * part}%`);
    time.textContent = minutes(audio.currentTime || length());
  };
  button.addEventListener("click", () => (audio.paused ? play(audio) : audio.pause()));
  wave.addEventListener("input", () => (audio.currentTime = (wave.value / 1000) * length()));
  for (const type of ["play", "pause", "timeupdate", "ended", "loadedmetadata"]) audio.addEventListener(type, show);
  show();
  attachment.append(button, wave, time);
}

/** Play one at a time. */
function play(audio) {
  for (const other of document.querySelectorAll("[data-audio]")) if (other !== audio) other.pause();
  audio.play().catch(() => {});
}

/** The waveform as an SVG for a CSS mask. */
function shape(peaks) {
  const bars = (peaks.length ? peaks : [40]).map((peak, n) => {
    const height = Math.max(peak * 0.28, 2);
    return `<rect x="${n * 3}" y="${16 - height / 2}" width="2" height="${height}" rx="1"/>`;
  });
  const box = `viewBox="0 0 ${bars.length * 3} 32" preserveAspectRatio="none"`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" ${box}>${bars.join("")}</svg>`;
  return `url("data:image/svg+xml,${encodeURIComponent(svg)}")`;
}
