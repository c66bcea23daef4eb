// Records a voice message.

import { minutes } from "../text/format.js";

const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const ENDINGS = { "audio/webm": "weba", "audio/mp4": "m4a", "audio/ogg": "ogg" };

export class Recorder extends EventTarget {
  #box;
  #recorder = null;
  #timer;

  constructor(button, box) {
    super();
    this.#box = box;
    if (!navigator.mediaDevices || !window.MediaRecorder) return;
    button.hidden = false;
    button.addEventListener("click", () => this.#begin());
    this.#find("cancel").addEventListener("click", () => this.#end(false));
    this.#find("send").addEventListener("click", () => this.#end(true));
  }

  #find(part) {
    return this.#box.querySelector(`[data-recorder-${part}]`);
  }

  async #begin() {
    if (this.#recorder) return;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      this.#record(stream);
    } catch {
      this.#emit("trouble", "This page may not use the microphone.");
    }
  }

  #record(stream) {
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const [recorder, pieces] = [new MediaRecorder(stream, { mimeType }), []];
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    recorder.onstop = () => {
      for (const track of stream.getTracks()) track.stop();
      if (recorder.isWanted) this.#hand(pieces, recorder.mimeType.split(";")[0]);
    };
    recorder.start();
    this.#recorder = recorder;
    this.#box.hidden = false;
    const began = Date.now();
    const show = () => (this.#find("time").textContent = minutes((Date.now() - began) / 1000));
    show();
    this.#timer = setInterval(show, 500);
    this.#find("send").focus();
  }

  #end(isWanted) {
    clearInterval(this.#timer);
    this.#box.hidden = true;
    this.#recorder.isWanted = isWanted;
    this.#recorder.stop();
    this.#recorder = null;
  }

  #hand(pieces, type) {
    this.#emit("recorded", new File(pieces, `voice.${ENDINGS[type] ?? "weba"}`, { type }));
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
