// The reader's conversations: the last answer of the server, and all events received since.

export class Conversations extends EventTarget {
  #people;
  #userId;
  #conversations = new Map();
  #read = new Map();
  #recordings = new Set();
  #lastRequest = 0;
  #lastAnswered = 0;
  #isForgotten = false;

  constructor(people, userId) {
    super();
    this.#people = people;
    this.#userId = userId;
  }

  all() {
    return [...this.#conversations.values()];
  }

  get(id) {
    return this.#conversations.get(id);
  }

  /**
   * Fetch the state from the server, and apply again the events received while the answer was on its way. Returns false
   * if an event can only be understood after another fetch. An answer that arrives after a later one is out of date.
   */
  async refresh(fetch) {
    const [request, received] = [++this.#lastRequest, []];
    this.#recordings.add(received);
    try {
      const answer = await fetch();
      if (request < this.#lastAnswered) return true;
      this.#lastAnswered = request;
      this.#replace(answer);
    } finally {
      this.#recordings.delete(received);
    }
    const areApplied = received.map(([method, detail]) => this[method](detail) !== false);
    return areApplied.every(Boolean) || this.#lastRequest > request;
  }

  /** Forget everything, also answers that are on their way: a backup was restored. */
  forget() {
    this.#lastAnswered = ++this.#lastRequest;
    this.#isForgotten = true;
    this.#conversations.clear();
    this.#read.clear();
    for (const received of this.#recordings) received.length = 0;
  }

  show(conversation) {
    this.#record("show", conversation);
    this.#update(conversation);
  }

  /** Receive a message that is new or has changed. Returns false if the state must be fetched again. */
  receive(detail) {
    this.#record("receive", detail);
    const { conversation_id: id, message } = detail;
    const conversation = this.#conversations.get(id);
    // A deleted or edited message may have been counted as unread or as a mention: only the server knows.
    const needsRecount = conversation?.me.unread_count && (message.deleted_at || message.edited_at);
    if (!conversation || needsRecount) return false;
    if (message.kind === "notice") return this.#receiveNotice(conversation, message);
    const last = conversation.last_message?.position ?? 0;
    if (message.position > last) this.#update({ ...conversation, ...this.#withMessage(conversation, message) });
    else if (message.position === last) this.#update({ ...conversation, last_message: message });
    return true;
  }

  /** A notice is not unread, nor the last message; only the position moves on. */
  #receiveNotice(conversation, { position }) {
    if (position > conversation.last_position) this.#update({ ...conversation, last_position: position });
    return true;
  }

  /** Apply changes of a conversation that all members see. */
  applyChanges(detail) {
    this.#record("applyChanges", detail);
    const { participants, ...changes } = detail.changes;
    for (const { user } of participants?.added ?? []) this.#people.addUser(user);
    const conversation = this.#conversations.get(detail.conversation_id);
    if (conversation?.kind === "group") this.#update({ ...conversation, ...changes });
  }

  /**
   * Apply the reader's own settings of a conversation, changed here or on another device. Returns false if the state
   * must be fetched again. Unread counts include all up to `last_position`: messages before it are not counted twice.
   */
  applySettings(detail) {
    this.#record("applySettings", detail);
    const conversation = this.#conversations.get(detail.conversation_id);
    if (!conversation || detail.last_position < conversation.last_position) return false;
    this.#update({ ...conversation, counted: detail.last_position, me: { ...conversation.me, ...detail.me } });
    return true;
  }

  /** Mark as read here. An answer that was already on its way must not make it unread again. */
  markRead({ id, through }) {
    this.#read.set(id, through);
    const conversation = this.#conversations.get(id);
    if (conversation) this.#update(conversation);
  }

  remove(id) {
    this.#record("remove", id);
    this.#conversations.delete(id);
    this.#emit("removed", id);
  }

  #record(method, detail) {
    for (const received of this.#recordings) received.push([method, detail]);
  }

  #replace({ items, isComplete }) {
    this.#conversations.clear();
    for (const conversation of items) this.#store(conversation);
    // After a restore what is not among the first may not exist any more.
    this.dispatchEvent(new CustomEvent("replaced", { detail: { isComplete: isComplete || this.#isForgotten } }));
    this.#isForgotten = false;
  }

  #update(conversation) {
    this.#store(conversation);
    this.#emit("changed", conversation.id);
  }

  #store(conversation) {
    const { id, last_position: last, me, participants = [] } = conversation;
    for (const { user } of participants) this.#people.addUser(user);
    const unread = last <= this.#read.get(id) ? { unread_count: 0, mention_count: 0 } : {};
    this.#conversations.set(id, { ...conversation, me: { ...me, ...unread } });
  }

  #withMessage({ me, counted = 0, last_position: last }, message) {
    const isNew = message.position > Math.max(counted, me.read_through);
    const counts = isNew && message.sender_id !== this.#userId;
    const isMeant = counts && message.mentions.includes(this.#userId);
    const unread_count = Math.min(100, me.unread_count + Number(counts));
    const mention_count = me.mention_count + Number(isMeant);
    const last_position = Math.max(last, message.position);
    return { last_message: message, last_position, me: { ...me, unread_count, mention_count } };
  }

  #emit(type, id) {
    this.dispatchEvent(new CustomEvent(type, { detail: { id } }));
  }
}
