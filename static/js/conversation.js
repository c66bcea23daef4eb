// Builds the open conversation, if the page has one, and connects its parts.

import { AttachmentTray, listenForFiles } from "./composer/attachment-tray.js";
import { Composer } from "./composer/composer.js";
import { ConfirmDialog } from "./page/confirm-dialog.js";
import { Draft } from "./composer/draft.js";
import { enableAudioPlayers } from "./timeline/audio-player.js";
import { Feed } from "./net/feed.js";
import { Header } from "./timeline/header.js";
import { History } from "./timeline/history.js";
import { Jump } from "./timeline/jump.js";
import { Lightbox } from "./timeline/lightbox.js";
import { MentionSuggest } from "./composer/mention-suggest.js";
import { Menu } from "./timeline/menu.js";
import { MessageActions } from "./timeline/message-actions.js";
import { MessagePainter } from "./timeline/message-painter.js";
import { Quotes } from "./timeline/quotes.js";
import { ReadMarker } from "./timeline/read-marker.js";
import { Receipts } from "./timeline/receipts.js";
import { Recorder } from "./composer/recorder.js";
import { Scroller } from "./timeline/scroller.js";
import { Timeline } from "./timeline/timeline.js";
import { TypingSender } from "./composer/typing-sender.js";
import { Unsaved } from "./store/unsaved.js";
import { messageOf, stateOf } from "./timeline/unsent-message.js";
import { VisibilitySender } from "./timeline/visibility-sender.js";

const find = (selector) => document.querySelector(selector);

export function openConversation(page) {
  const list = find("[data-timeline]");
  if (!list) return;
  // Pages of older messages are for readers without scripts. With scripts, the newest page scrolls to the message.
  if (list.dataset.past) return location.replace(location.pathname + location.hash);
  const parts = makeParts(page, list);
  connectOutbox(page, parts);
  connectFeed(page, parts);
  connectRestore(page, parts);
  connectReceipts(page, parts);
  connectActions(page, parts, list);
  connectTyping(page, parts);
  connectMedia(page, parts, list);
}

function makeParts({ api, device, people, phrases, socket, userId }, list) {
  const { conversationId, version, position, readThrough, draft: saved } = list.dataset;
  const basics = JSON.parse(find("#basics").textContent);
  const form = find("[data-composer]");
  const draft = new Draft(api, conversationId, saved, new Unsaved(device, conversationId));
  device.beforeSignOut(() => draft.save());
  const quotes = new Quotes(list, api, phrases);
  const painter = new MessagePainter({ people, phrases, quotes, userId, reactionTemplate: find("#reaction-template") });
  const timeline = new Timeline(list, find("#message-template"), painter, userId);
  const scroller = new Scroller(find("[data-scroller]"), list, find("[data-newest]"));
  const feed = new Feed(api, { id: conversationId, version: Number(version), position: Number(position) });
  // Before the composer, so that Enter chooses a suggested name instead of sending.
  new MentionSuggest(form.elements.text, find("[data-suggest]"), people, { userId, conversationId });
  return {
    conversationId,
    draft,
    timeline,
    scroller,
    feed,
    composer: new Composer(form, draft, new AttachmentTray(find("[data-tray]"), find("#parcel-template"))),
    header: new Header({
      bar: find(".app__main > .app__bar"),
      list: find("[data-people]"),
      template: find("#person-template"),
      people,
      phrases,
      userId,
      basics,
    }),
    history: new History(find("[data-older]"), find("[data-scroller]"), api, conversationId),
    quotes,
    receipts: new Receipts(userId, basics.participants),
    readMarker: new ReadMarker(socket, scroller, feed, { conversationId, through: Number(readThrough) }),
  };
}

/** Messages that are written here, until they are acknowledged or refused. */
function connectOutbox({ outbox, removedNotice, sender, userId }, { conversationId, composer, scroller, timeline }) {
  const isHere = ({ conversation_id: id }) => id === conversationId;
  const draw = (message, state) => scroller.keepPosition(() => timeline.show(message, state));
  const drawUnsent = (unsent) => isHere(unsent) && draw(messageOf(unsent, userId), stateOf(unsent));

  composer.addEventListener("send", ({ detail }) => {
    sender.send(conversationId, detail);
    scroller.scrollToEnd();
  });
  removedNotice.offerUnsent(async () => {
    const { unsentTexts } = composer;
    const unsent = (await outbox.all()).filter(isHere);
    return [...unsent.map(({ text }) => text), ...unsentTexts];
  });
  outbox.addEventListener("added", ({ detail }) => drawUnsent(detail));
  outbox.addEventListener("changed", ({ detail }) => drawUnsent(detail));
  outbox.addEventListener("removed", ({ detail }) => timeline.removeUnsent(detail.id));
  sender.addEventListener("progress", ({ detail }) => timeline.progress(detail.id, detail.progress));
  sender.addEventListener("delivered", ({ detail }) => isHere(detail) && draw(detail));
  timeline.addEventListener("retry", ({ detail }) => sender.retry(detail.id));
  timeline.addEventListener("discard", ({ detail }) => outbox.remove(detail.id));
}

/** Changes of the conversation, whoever makes them. */
function connectFeed({ conversations, people, removedNotice, socket, userId }, parts) {
  const { conversationId, draft, feed, header, history, readMarker, scroller, timeline } = parts;
  feed.addEventListener("message", ({ detail }) => {
    if (isNotLoaded(detail, timeline)) return;
    const isNew = !timeline.has(detail.id) && detail.sender_id !== userId;
    scroller.keepPosition(() => timeline.show(detail));
    if (isNew) scroller.countUnseen();
  });
  feed.addEventListener("gone", () => removedNotice.show("gone"));
  feed.addEventListener("changes", ({ detail }) => header.applyChanges(detail));
  feed.addEventListener("conversation", ({ detail }) => {
    header.replace(detail);
    conversations.show(detail);
  });
  people.addEventListener("loaded", ({ detail }) => timeline.redrawFor(detail.id));
  readMarker.addEventListener("read", ({ detail }) => conversations.markRead(detail));
  history.addEventListener("older", ({ detail }) =>
    scroller.silently(() => detail.toReversed().forEach((message) => timeline.show(message))),
  );
  for (const type of ["message.created", "message.updated", "conversation.updated"]) {
    socket.addEventListener(type, ({ detail }) => feed.receive(detail));
  }
  for (const type of ["connected", "resync"]) socket.addEventListener(type, () => feed.catchUp());
  socket.addEventListener("conversation.settings", ({ detail }) => {
    if (detail.conversation_id === conversationId) draft.receive(detail.me.draft);
  });
}

/** A backup was restored on the server: everything that it has sent is loaded anew; what is unsent stays as it is. */
function connectRestore({ socket }, { draft, feed, history, quotes, readMarker, receipts, scroller, timeline }) {
  socket.addEventListener("restored", () => {
    feed.forget();
    readMarker.forget();
  });
  feed.addEventListener("replaced", ({ detail: { conversation, messages, pagination } }) => {
    quotes.forget();
    receipts.forget();
    scroller.silently(() => timeline.replace(messages));
    history.restart(pagination);
    find("[data-start]").hidden = pagination.has_more;
    draft.replaceSaved(conversation.me.draft);
  });
}

/** Images, videos, audio and files: how they are attached, and how they are viewed. */
function connectMedia({ sender }, { composer, conversationId, scroller }, list) {
  const [field, dropTarget] = [find("[data-composer]").elements.text, find("#main")];
  const [button, input] = [find("[data-attach]"), find("[data-files]")];
  listenForFiles({ button, input, dropTarget, field }, (files) => composer.attach(files));
  const recorder = new Recorder(find("[data-record]"), find("[data-recorder]"));
  recorder.addEventListener("failed", ({ detail }) => composer.showError(detail));
  recorder.addEventListener("recorded", ({ detail }) => {
    sender.send(conversationId, { text: "", files: [detail] });
    scroller.scrollToEnd();
  });
  new Lightbox(find("[data-lightbox]"), list);
  enableAudioPlayers(list);
}

/** Who is typing: the reader, and the others. */
function connectTyping({ people, phrases, socket, typing }, { composer, conversationId, header }) {
  new TypingSender(socket, composer, conversationId);
  new VisibilitySender(socket, conversationId);
  const show = () => header.showTyping(phrases.typing(typing.in(conversationId), header.kind));
  typing.addEventListener("changed", ({ detail }) => detail.id === conversationId && show());
  people.addEventListener("loaded", show);
}

/** Who has received and read the messages. */
function connectReceipts({ deliveryAcks, socket }, { conversationId, feed, receipts, timeline }) {
  const draw = () => timeline.setReceipts(receipts.all);
  draw();
  receipts.addEventListener("changed", draw);
  deliveryAcks.watch(conversationId, feed);
  feed.addEventListener("conversation", ({ detail }) => receipts.replace(detail));
  feed.addEventListener("changes", ({ detail }) => receipts.applyChanges(detail));
  socket.addEventListener("receipts", ({ detail }) => {
    if (detail.conversation_id === conversationId) receipts.receive(detail.receipts);
  });
}

/** What can be done with a message, and jumping to one that is quoted. */
function connectActions({ api, userId }, { composer, header, history, scroller, timeline }, list) {
  const dialogs = {
    delete: new ConfirmDialog(find("[data-ask-delete]")),
    emoji: new ConfirmDialog(find("[data-ask-emoji]")),
  };
  const editSeconds = Number(list.dataset.editSeconds);
  const actions = new MessageActions({ api, composer, header, editSeconds, userId, dialogs });
  actions.listen(new Menu(find("[data-menu]"), list, (article) => actions.actionsFor(article)), list);
  actions.addEventListener("changed", ({ detail }) => scroller.keepPosition(() => timeline.show(detail)));
  new Jump({ list, timeline, history, api });
}

/** Whether a message is older than what the page has loaded. It will be loaded with its page, in its current state. */
const isNotLoaded = ({ id, position, version }, timeline) =>
  version > position && position < timeline.first && !timeline.has(id);
