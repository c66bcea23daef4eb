// Voice messages: a button, the shape of the sound, and the time. Without a script the browser's own player is there.

import { minutes } from "../text/format.js";

/** Make players of the sounds in a list, and of those that come into it. */
export function watchSounds(list) {
  const equipAll = () => {
    for (const piece of list.querySelectorAll("[data-piece=sound]:not([data-live])")) equip(piece);
  };
  equipAll();
  new MutationObserver(equipAll).observe(list, { childList: true, subtree: true });
}

function equip(piece) {
  piece.dataset.live = "";
  const sound = piece.querySelector("[data-sound]");
  const peaks = piece.dataset.waveform.split(" ").filter(Boolean).map(Number);
  const length = () => Number(piece.dataset.duration) || sound.duration || 0;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "sound__button" });
  const wave = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 1000, value: 0 });
  Object.assign(wave, { className: "sound__wave", ariaLabel: "Position" });
  const time = Object.assign(document.createElement("span"), { className: "sound__time" });
  sound.controls = false;
  wave.style.setProperty("--wave", shape(peaks));

  const show = () => {
    button.textContent = sound.paused ? "▶" : "❚❚";
    button.ariaLabel = sound.paused ? "Play" : "Pause";
    const part = length() ? sound.currentTime / length() : 0;
    wave.value = 1000 * part;
    wave.style.setProperty("--part", `${100 * part}%`);
    time.textContent = minutes(sound.currentTime || length());
  };
  button.addEventListener("click", () => (sound.paused ? play(sound) : sound.pause()));
  wave.addEventListener("input", () => (sound.currentTime = (wave.value / 1000) * length()));
  for (const type of ["play", "pause", "timeupdate", "ended", "loadedmetadata"]) sound.addEventListener(type, show);
  show();
  piece.append(button, wave, time);
}

/** One at a time. */
function play(sound) {
  for (const other of document.querySelectorAll("[data-sound]")) if (other !== sound) other.pause();
  sound.play().catch(() => {});
}

/** The peaks as a picture for a mask. */
function shape(peaks) {
  const bars = (peaks.length ? peaks : [40]).map((peak, n) => {
    const height = Math.max(peak * 0.28, 2);
    return `<rect x="${n * 3}" y="${16 - height / 2}" width="2" height="${height}" rx="1"/>`;
  });
  const box = `viewBox="0 0 ${bars.length * 3} 32" preserveAspectRatio="none"`;
  return `url("data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" ${box}>${bars.join("")}</svg>`)}")`;
}
