// Says what has been read: only what stands on a screen that someone looks at.

export class Reader extends EventTarget {
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
    scroller.addEventListener("end", () => this.look());
    feed.addEventListener("progress", () => this.look());
    socket.addEventListener("connected", () => this.#repeat());
    addEventListener("focus", () => this.look());
    document.addEventListener("visibilitychange", () => this.look());
  }

  look() {
    const looking = !document.hidden && document.hasFocus() && this.#scroller.atEnd;
    if (looking && this.#feed.position > this.#through) this.#tell(this.#feed.position);
  }

  #repeat() {
    if (this.#through) this.#tell(this.#through);
    this.look();
  }

  #tell(through) {
    if (!this.#socket.tell({ type: "read", conversation_id: this.#conversationId, through })) return;
    this.#through = through;
    if (through >= this.#feed.position) {
      this.dispatchEvent(new CustomEvent("read", { detail: { id: this.#conversationId, through } }));
    }
  }
}
