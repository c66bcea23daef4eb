// Marks messages as read when they are on a visible, focused screen and the timeline is at its end.

export class ReadMarker extends EventTarget {
  #socket;
  #scroller;
  #feed;
  #conversationId;
  #through;

  constructor(socket, scroller, feed, { conversationId, through }) {
    super();
    this.#socket = socket;
    this.#scroller = scroller;
    this.#feed = feed;
    this.#conversationId = conversationId;
    this.#through = through;
    scroller.addEventListener("end", () => this.update());
    feed.addEventListener("progress", () => this.update());
    socket.addEventListener("connected", () => this.#repeat());
    addEventListener("focus", () => this.update());
    document.addEventListener("visibilitychange", () => this.update());
  }

  /** Forget how far was read: a backup was restored. */
  forget() {
    this.#through = 0;
  }

  update() {
    const isSeen = !document.hidden && document.hasFocus() && this.#scroller.atEnd;
    if (isSeen && this.#feed.position > this.#through) this.#mark(this.#feed.position);
  }

  #repeat() {
    if (this.#through) this.#mark(this.#through);
    this.update();
  }

  #mark(through) {
    if (!this.#socket.send({ type: "read", conversation_id: this.#conversationId, through })) return;
    this.#through = through;
    if (through >= this.#feed.position) {
      this.dispatchEvent(new CustomEvent("read", { detail: { id: this.#conversationId, through } }));
    }
  }
}
