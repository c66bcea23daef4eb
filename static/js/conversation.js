// The open conversation, if there is one: its parts, and who hears whom.

import { Acts } from "./timeline/message-actions.js";
import { Ask } from "./page/confirm-dialog.js";
import { Composer } from "./composer/composer.js";
import { Details } from "./timeline/header.js";
import { Draft } from "./composer/draft.js";
import { Feed } from "./net/feed.js";
import { Finder } from "./timeline/jump.js";
import { History } from "./timeline/history.js";
import { Lightbox } from "./timeline/lightbox.js";
import { Menu } from "./timeline/menu.js";
import { Painter } from "./timeline/message-painter.js";
import { Quotes } from "./timeline/quotes.js";
import { Reader } from "./timeline/read-marker.js";
import { Recorder } from "./composer/recorder.js";
import { Receipts } from "./timeline/receipts.js";
import { Scroller } from "./timeline/scroller.js";
import { Signals } from "./composer/typing-sender.js";
import { Suggest } from "./composer/mention-suggest.js";
import { Timeline } from "./timeline/timeline.js";
import { Tray, hearFiles } from "./composer/attachment-tray.js";
import { Unsaved } from "./store/unsaved.js";
import { watchSounds } from "./timeline/audio-player.js";

const find = (selector) => document.querySelector(selector);

export function openConversation(page) {
  const list = find("[data-timeline]");
  if (!list) return;
  // A page of the past is for readers without a script; the live one scrolls there by itself.
  if (list.dataset.past) return location.replace(location.pathname + location.hash);
  const parts = makeParts(page, list);
  connectOutbox(page, parts);
  connectFeed(page, parts);
  connectReceipts(page, parts);
  connectActs(page, parts, list);
  connectTyping(page, parts);
  connectMedia(page, parts, list);
}

function makeParts({ api, device, people, socket, userId, words }, list) {
  const { conversationId, version, position, readThrough, draft: saved } = list.dataset;
  const basics = JSON.parse(find("#basics").textContent);
  const form = find("[data-composer]");
  const draft = new Draft(api, conversationId, saved, new Unsaved(device, conversationId));
  device.beforeLeaving(() => draft.save());
  const quotes = new Quotes(list, api, words);
  const painter = new Painter({ people, words, quotes, userId, chip: find("#reaction-template") });
  const timeline = new Timeline(list, find("#message-template"), painter, userId);
  const scroller = new Scroller(find("[data-scroller]"), list, find("[data-newest]"));
  const feed = new Feed(api, { id: conversationId, version: Number(version), position: Number(position) });
  const older = find("[data-older]");
  // Before the composer, so that Enter chooses a name where one is offered.
  new Suggest(form.elements.text, find("[data-suggest]"), people, { userId, conversationId });
  return {
    conversationId,
    draft,
    timeline,
    scroller,
    feed,
    composer: new Composer(form, draft, new Tray(find("[data-tray]"), find("#parcel-template"))),
    details: new Details({
      head: find(".app__main > .app__bar"),
      list: find("[data-people]"),
      template: find("#person-template"),
      people,
      words,
      userId,
      basics,
    }),
    history: older && new History(older, find("[data-scroller]"), api, conversationId),
    receipts: new Receipts(userId, basics.participants),
    reader: new Reader(socket, scroller, feed, { conversationId, through: Number(readThrough) }),
  };
}

/** What is written here, and what became of it. */
function connectOutbox({ courier, farewell, outbox, userId }, { conversationId, composer, scroller, timeline }) {
  const here = ({ conversation_id: id }) => id === conversationId;
  const draw = (message, look) => scroller.hold(() => timeline.show(message, look));
  const drawLetter = (letter) => here(letter) && draw(asMessage(letter, userId), lookOf(letter));

  composer.addEventListener("write", ({ detail }) => {
    courier.post(conversationId, detail);
    scroller.toEnd();
  });
  farewell.keep(async () => {
    const { words } = composer;
    const letters = (await outbox.all()).filter(here);
    return [...letters.map(({ text }) => text), ...words];
  });
  outbox.addEventListener("added", ({ detail }) => drawLetter(detail));
  outbox.addEventListener("changed", ({ detail }) => drawLetter(detail));
  outbox.addEventListener("removed", ({ detail }) => timeline.forget(detail.id));
  courier.addEventListener("progress", ({ detail }) => timeline.progress(detail.id, detail.progress));
  courier.addEventListener("delivered", ({ detail }) => here(detail) && draw(detail));
  timeline.addEventListener("retry", ({ detail }) => courier.retry(detail.id));
  timeline.addEventListener("discard", ({ detail }) => outbox.remove(detail.id));
}

/** What happens in the conversation, whoever does it. */
function connectFeed({ conversations, farewell, people, socket, userId }, parts) {
  const { conversationId, details, draft, feed, history, reader, scroller, timeline } = parts;
  feed.addEventListener("message", ({ detail }) => {
    if (isElsewhere(detail, timeline)) return;
    const news = !timeline.has(detail.id) && detail.sender_id !== userId;
    scroller.hold(() => timeline.show(detail));
    if (news) scroller.miss();
  });
  feed.addEventListener("gone", () => farewell.show("gone"));
  feed.addEventListener("changes", ({ detail }) => details.apply(detail));
  feed.addEventListener("conversation", ({ detail }) => {
    details.replace(detail);
    conversations.show(detail);
  });
  people.addEventListener("met", ({ detail }) => timeline.meet(detail.id));
  reader.addEventListener("read", ({ detail }) => conversations.clear(detail));
  history?.addEventListener("older", ({ detail }) =>
    scroller.silently(() => detail.toReversed().forEach((message) => timeline.show(message))),
  );
  for (const type of ["message.created", "message.updated", "conversation.updated"]) {
    socket.addEventListener(type, ({ detail }) => feed.take(detail));
  }
  for (const type of ["connected", "resync"]) socket.addEventListener(type, () => feed.catchUp());
  socket.addEventListener("conversation.settings", ({ detail }) => {
    if (detail.conversation_id === conversationId) draft.hear(detail.me.draft);
  });
}

/** Pictures, film, sound and files: how they get in, and how they are looked at. */
function connectMedia({ courier }, { composer, conversationId, scroller }, list) {
  const [field, place] = [find("[data-composer]").elements.text, find("#main")];
  hearFiles({ button: find("[data-attach]"), input: find("[data-files]"), place, field }, (files) => composer.attach(files));
  const recorder = new Recorder(find("[data-record]"), find("[data-recorder]"));
  recorder.addEventListener("trouble", ({ detail }) => composer.complain(detail));
  recorder.addEventListener("recorded", ({ detail }) => {
    courier.post(conversationId, { text: "", files: [detail] });
    scroller.toEnd();
  });
  new Lightbox(find("[data-lightbox]"), list);
  watchSounds(list);
}

/** Who writes here, and who else does. */
function connectTyping({ people, socket, typists, words }, { composer, conversationId, details }) {
  new Signals(socket, composer, conversationId);
  const show = () => details.type(words.typing(typists.in(conversationId), details.kind));
  typists.addEventListener("changed", ({ detail }) => detail.id === conversationId && show());
  people.addEventListener("met", show);
}

/** Who has had and read what was said. */
function connectReceipts({ receiver, socket }, { conversationId, feed, receipts, timeline }) {
  const draw = () => timeline.reach(receipts.all);
  draw();
  receipts.addEventListener("changed", draw);
  receiver.follow(conversationId, feed);
  feed.addEventListener("conversation", ({ detail }) => receipts.replace(detail));
  feed.addEventListener("changes", ({ detail }) => receipts.change(detail));
  socket.addEventListener("receipts", ({ detail }) => {
    if (detail.conversation_id === conversationId) receipts.hear(detail.receipts);
  });
}

/** What may be done with a message, and finding one that is quoted. */
function connectActs({ api, userId }, { composer, details, history, scroller, timeline }, list) {
  const asks = { delete: new Ask(find("[data-ask-delete]")), emoji: new Ask(find("[data-ask-emoji]")) };
  const editSeconds = Number(list.dataset.editSeconds);
  const acts = new Acts({ api, composer, details, editSeconds, userId, asks });
  acts.listen(new Menu(find("[data-menu]"), list, (article) => acts.offers(article)), list);
  acts.addEventListener("changed", ({ detail }) => scroller.hold(() => timeline.show(detail)));
  new Finder({ list, timeline, history, api });
}

/** A change of an older message that is not on the page: it comes with its page, as it is by then. */
const isElsewhere = ({ id, position, version }, timeline) =>
  version > position && position < timeline.first && !timeline.has(id);

const lookOf = ({ reason }) => (reason ? { state: "failed", reason } : { state: "sending" });

const kindOf = ({ type }) => ["image", "video", "audio"].find((kind) => type.startsWith(`${kind}/`)) ?? "file";

/** Files that are on their way, as they lie here. */
const asMedia = (file, n) => {
  const known = places.get(file) ?? URL.createObjectURL(file);
  places.set(file, known);
  return { id: `${n}`, kind: kindOf(file), filename: file.name, content_type: file.type, size: file.size, url: known };
};
const places = new WeakMap();

const asMessage = (letter, userId) => ({
  ...letter,
  sender_id: userId,
  kind: "text",
  media: (letter.files ?? []).map(asMedia),
  created_at: new Date(letter.written).toISOString(),
});
