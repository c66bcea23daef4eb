// The sentences of the page, as the server words them for this reader: messaging/web/phrases.py is their home.

const NAMES_MOST = 3;
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

export class Words {
  #patterns;
  #people;
  #userId;

  constructor(patterns, people, userId) {
    this.#patterns = patterns;
    this.#people = people;
    this.#userId = userId;
  }

  /** What runs from right to left is isolated (Unicode's FSI and PDI), so that it turns nothing round beside it. */
  say(key, values = {}) {
    return this.#patterns[key].replace(/\{(\w+)\}/g, (_, name) => isolated(String(values[name] ?? "")));
  }

  name(id) {
    return this.#people.name(id) ?? this.say("someone");
  }

  /** What a line shows of a message. */
  text(message) {
    if (message.deleted_at) return this.say("deleted");
    return message.kind === "notice" ? this.#notice(message) : message.text;
  }

  /** What was said last in a conversation, in one line. */
  preview({ kind, last_message: message, me }, isOpen) {
    const draft = isOpen ? "" : me.draft?.trim();
    if (draft) return this.say("draft", { text: draft });
    if (!message) return this.say("quiet");
    if (message.deleted_at) return this.say("gone");
    if (message.kind === "notice") return this.#notice(message);
    const text = this.summary(message);
    if (message.sender_id === this.#userId) return this.say("said.mine", { text });
    return kind === "direct" ? text : this.say("said", { who: this.name(message.sender_id), text });
  }

  /** What stands for a message where there is one line for it: its text, or what hangs on it. */
  summary(message) {
    const [text, media = []] = [this.text(message), message.media];
    if (text || !media.length) return text;
    if (media.length > 1) return this.say(message.kind === "image" ? "media.images" : "media.some", { n: media.length });
    return this.say(`media.${message.kind}`, { name: media[0].filename });
  }

  /** Those who think the same of a message. */
  reactors(ids) {
    return this.#listed(ids, "you");
  }

  /** That some people are typing; between two it is plain who. */
  typing(ids, kind) {
    if (!ids.length) return "";
    if (kind === "direct") return this.say("typing");
    return this.say(ids.length === 1 ? "typing.one" : "typing.many", { who: this.#listed(ids, "you") });
  }

  members(count) {
    return count === 1 ? this.say("member") : this.say("members", { n: count });
  }

  #notice({ sender_id: by, notice }) {
    const { event, user_ids: ids, name } = notice ?? { event: "other", user_ids: [] };
    const came = event === "joined" && ids.length === 1 && ids[0] === by;
    const key = `${came ? "came" : event}${by === this.#userId ? ".mine" : ""}`;
    const whom = this.#listed(ids, "you.whom");
    return this.say(key in this.#patterns ? key : "other", { who: this.name(by), whom, name });
  }

  /** Name some people; the reader comes first, and of many most are counted. */
  #listed(ids, you) {
    const names = ids.filter((id) => id !== this.#userId).map((id) => this.name(id));
    if (ids.includes(this.#userId)) names.unshift(this.say(you));
    if (names.length < 2) return names.join("");
    const most = names.length > NAMES_MOST + 1 ? NAMES_MOST : names.length - 1;
    const some = names.slice(0, most).join(", ");
    if (most < names.length - 1) return this.say("more", { some, n: names.length - most });
    return this.say("two", { some, last: names.at(-1) });
  }
}

const isolated = (text) => (RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text);
