// Records a voice message.

import { minutes } from "../text/format.js";

const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const EXTENSIONS = { "audio/webm": "weba", "audio/mp4": "m4a", "audio/ogg": "ogg" };

export class Recorder extends EventTarget {
  #box;
  #recorder = null;
  #timer;

  constructor(button, box) {
    super();
    this.#box = box;
    if (!navigator.mediaDevices || !window.MediaRecorder) return;
    button.hidden = false;
    button.addEventListener("click", () => this.#start());
    this.#find("cancel").addEventListener("click", () => this.#stop(false));
    this.#find("send").addEventListener("click", () => this.#stop(true));
  }

  #find(part) {
    return this.#box.querySelector(`[data-recorder-${part}]`);
  }

  async #start() {
    if (this.#recorder) return;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      this.#record(stream);
    } catch {
      this.#emit("failed", "This page has no access to the microphone.");
    }
  }

  #record(stream) {
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const [recorder, chunks] = [new MediaRecorder(stream, { mimeType }), []];
    recorder.ondataavailable = ({ data }) => chunks.push(data);
    recorder.onstop = () => {
      for (const track of stream.getTracks()) track.stop();
      if (recorder.isKept) this.#emitFile(chunks, recorder.mimeType.split(";")[0]);
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

  #stop(isKept) {
    clearInterval(this.#timer);
    this.#box.hidden = true;
    this.#recorder.isKept = isKept;
    this.#recorder.stop();
    this.#recorder = null;
  }

  #emitFile(chunks, type) {
    this.#emit("recorded", new File(chunks, `voice.${EXTENSIONS[type] ?? "weba"}`, { type }));
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
