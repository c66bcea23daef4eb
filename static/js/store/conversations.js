// What is known of one's conversations: the server's word, and all that was heard since.

export class Conversations extends EventTarget {
  #people;
  #userId;
  #known = new Map();
  #read = new Map();
  #recorders = new Set();
  #asked = 0;
  #answered = 0;

  constructor(people, userId) {
    super();
    this.#people = people;
    this.#userId = userId;
  }

  all() {
    return [...this.#known.values()];
  }

  get(id) {
    return this.#known.get(id);
  }

  /**
   * Fetch what the server says, and hear once more what was heard while its answer was on its way; false if only another
   * answer can tell what that means. An answer that comes behind that to a later question is out of date.
   */
  async renew(fetch) {
    const [turn, heard] = [++this.#asked, []];
    this.#recorders.add(heard);
    try {
      const answer = await fetch();
      if (turn < this.#answered) return true;
      this.#answered = turn;
      this.#replace(answer);
    } finally {
      this.#recorders.delete(heard);
    }
    const isKnown = heard.map(([act, detail]) => this[act](detail) !== false);
    return isKnown.every(Boolean) || this.#asked > turn;
  }

  show(conversation) {
    this.#record("show", conversation);
    this.#put(conversation);
  }

  /** Something was said, or changed; false if only the server knows what that means. */
  hear(detail) {
    this.#record("hear", detail);
    const { conversation_id: id, message } = detail;
    const conversation = this.#known.get(id);
    // What is taken back or worded anew may have been among what is counted.
    const recounts = conversation?.me.unread_count && (message.deleted_at || message.edited_at);
    if (!conversation || recounts) return false;
    const last = conversation.last_message?.position ?? 0;
    if (message.position > last) this.#put({ ...conversation, ...this.#news(conversation, message) });
    else if (message.position === last) this.#put({ ...conversation, last_message: message });
    return true;
  }

  /** What all members see of a conversation has changed. */
  change(detail) {
    this.#record("change", detail);
    const { participants, ...changes } = detail.changes;
    for (const { user } of participants?.added ?? []) this.#people.meet(user);
    const conversation = this.#known.get(detail.conversation_id);
    if (conversation?.kind === "group") this.#put({ ...conversation, ...changes });
  }

  /**
   * What is one's own about a conversation has changed, here or on another device; false if only the server knows what
   * that means. It is counted up to its last position: what is heard later and stands before that is counted already.
   */
  settle(detail) {
    this.#record("settle", detail);
    const conversation = this.#known.get(detail.conversation_id);
    if (!conversation || detail.last_position < conversation.last_position) return false;
    this.#put({ ...conversation, counted: detail.last_position, me: { ...conversation.me, ...detail.me } });
    return true;
  }

  /** It was read here; an answer that was on its way before that must not unread it. */
  clear({ id, through }) {
    this.#read.set(id, through);
    const conversation = this.#known.get(id);
    if (conversation) this.#put(conversation);
  }

  remove(id) {
    this.#record("remove", id);
    this.#known.delete(id);
    this.#emit("removed", id);
  }

  #record(act, detail) {
    for (const heard of this.#recorders) heard.push([act, detail]);
  }

  #replace({ items, isWhole }) {
    this.#known.clear();
    for (const conversation of items) this.#learn(conversation);
    this.dispatchEvent(new CustomEvent("replaced", { detail: { isWhole } }));
  }

  #put(conversation) {
    this.#learn(conversation);
    this.#emit("changed", conversation.id);
  }

  #learn(conversation) {
    const { id, last_position: last, me, participants = [] } = conversation;
    for (const { user } of participants) this.#people.meet(user);
    const unread = last <= this.#read.get(id) ? { unread_count: 0, mention_count: 0 } : {};
    this.#known.set(id, { ...conversation, me: { ...me, ...unread } });
  }

  #news({ me, counted = 0 }, message) {
    const isNew = message.position > Math.max(counted, me.read_through);
    const counts = isNew && message.sender_id !== this.#userId && message.kind !== "notice";
    const isMeant = counts && message.mentions.includes(this.#userId);
    const unread_count = Math.min(100, me.unread_count + Number(counts));
    const mention_count = me.mention_count + Number(isMeant);
    return { last_message: message, last_position: message.position, me: { ...me, unread_count, mention_count } };
  }

  #emit(type, id) {
    this.dispatchEvent(new CustomEvent(type, { detail: { id } }));
  }
}
