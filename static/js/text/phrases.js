// The sentences of the page in the reader's language. They are defined in messaging/web/phrases.py.

const MOST_NAMES = 3;
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

export class Phrases {
  #patterns;
  #people;
  #userId;

  constructor(patterns, people, userId) {
    this.#patterns = patterns;
    this.#people = people;
    this.#userId = userId;
  }

  /** Fill in a sentence. Right-to-left values are isolated (Unicode FSI and PDI), so that the rest keeps its order. */
  get(key, values = {}) {
    return this.#patterns[key].replace(/\{(\w+)\}/g, (_, name) => isolated(String(values[name] ?? "")));
  }

  name(id) {
    return this.#people.name(id) ?? this.get("someone");
  }

  /** The text that the timeline shows for a message. */
  text(message) {
    if (message.deleted_at) return this.get("deleted");
    return message.kind === "notice" ? this.#notice(message) : message.text;
  }

  /** The one line that the inbox shows for a conversation: the draft or the last message. */
  preview({ kind, last_message: message, me }, isOpen) {
    const draft = isOpen ? "" : me.draft?.trim();
    if (draft) return this.get("draft", { text: draft });
    if (!message) return this.get(kind === "group" ? "quiet.group" : "quiet");
    if (message.deleted_at) return this.get("gone");
    const text = this.summary(message);
    if (message.sender_id === this.#userId) return this.get("said.mine", { text });
    return kind === "direct" ? text : this.get("said", { who: this.name(message.sender_id), text });
  }

  /** A message in one line: its text, or what is attached to it. */
  summary(message) {
    const [text, media = []] = [this.text(message), message.media];
    if (text || !media.length) return text;
    const n = media.length;
    if (n > 1) return this.get(message.kind === "image" ? "media.images" : "media.some", { n });
    return this.get(`media.${message.kind}`, { name: media[0].filename });
  }

  /** The names of those who reacted with the same emoji. */
  reactors(ids) {
    return this.#list(ids, "you");
  }

  /** That people are typing; a direct conversation needs no name. */
  typing(ids, kind) {
    if (!ids.length) return "";
    if (kind === "direct") return this.get("typing");
    return this.get(ids.length === 1 ? "typing.one" : "typing.many", { who: this.#list(ids, "you") });
  }

  members(count) {
    return count === 1 ? this.get("member") : this.get("members", { n: count });
  }

  #notice({ sender_id: by, notice }) {
    const { event, user_ids: ids, name } = notice ?? { event: "other", user_ids: [] };
    const joinedAlone = event === "joined" && ids.length === 1 && ids[0] === by;
    const key = `${joinedAlone ? "came" : event}${by === this.#userId ? ".mine" : ""}`;
    const whom = this.#list(ids, "you.whom");
    return this.get(key in this.#patterns ? key : "other", { who: this.name(by), whom, name });
  }

  /** List people by name, the reader first; of many only some are named and the rest are counted. */
  #list(ids, you) {
    const names = ids.filter((id) => id !== this.#userId).map((id) => this.name(id));
    if (ids.includes(this.#userId)) names.unshift(this.get(you));
    if (names.length < 2) return names.join("");
    const most = names.length > MOST_NAMES + 1 ? MOST_NAMES : names.length - 1;
    const some = names.slice(0, most).join(", ");
    if (most < names.length - 1) return this.get("more", { some, n: names.length - most });
    return this.get("two", { some, last: names.at(-1) });
  }
}

const isolated = (text) => (RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text);
