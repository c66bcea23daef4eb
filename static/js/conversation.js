// The open conversation, if there is one: its parts, and who hears whom.

import { Composer } from "./composer.js";
import { Draft } from "./store/draft.js";
import { Feed } from "./feed.js";
import { History } from "./history.js";
import { Reader } from "./reader.js";
import { Scroller } from "./scroller.js";
import { Timeline } from "./timeline.js";

const find = (selector) => document.querySelector(selector);

export function openConversation({ api, courier, inbox, outbox, people, socket, userId }) {
  const list = find("[data-timeline]");
  if (!list) return;
  // A page of the past is for readers without a script; the live one scrolls there by itself.
  if (list.dataset.past) return location.replace(location.pathname);

  const { conversationId, version, position, readThrough } = list.dataset;
  const timeline = new Timeline(list, find("#message-template"), people, userId);
  const scroller = new Scroller(find("[data-scroller]"), find("[data-newest]"));
  const composer = new Composer(find("[data-composer]"), new Draft(conversationId));
  const feed = new Feed(api, { id: conversationId, version: Number(version), position: Number(position) });
  const reader = new Reader(socket, scroller, feed, { conversationId, through: Number(readThrough) });

  const here = ({ conversation_id: id }) => id === conversationId;
  const draw = (message, look) => scroller.hold(() => timeline.show(message, look));
  const drawLetter = (letter) => here(letter) && draw(asMessage(letter, userId), lookOf(letter));

  composer.addEventListener("write", ({ detail }) => {
    courier.post(conversationId, detail.text);
    scroller.toEnd();
  });
  outbox.addEventListener("added", ({ detail }) => drawLetter(detail));
  outbox.addEventListener("changed", ({ detail }) => drawLetter(detail));
  outbox.addEventListener("removed", ({ detail }) => timeline.forget(detail.id));
  courier.addEventListener("delivered", ({ detail }) => here(detail) && draw(detail));
  timeline.addEventListener("retry", ({ detail }) => courier.retry(detail.id));
  timeline.addEventListener("discard", ({ detail }) => outbox.remove(detail.id));

  feed.addEventListener("message", ({ detail }) => {
    const news = !timeline.has(detail.id) && detail.sender_id !== userId;
    draw(detail);
    if (news) scroller.miss();
  });
  reader.addEventListener("read", ({ detail }) => inbox.clear(detail));
  for (const type of ["message.created", "message.updated", "conversation.updated"]) {
    socket.addEventListener(type, ({ detail }) => feed.take(detail));
  }
  for (const type of ["connected", "resync"]) socket.addEventListener(type, () => feed.catchUp());
  socket.addEventListener("conversation.removed", ({ detail }) => here(detail) && location.assign("/"));

  const older = find("[data-older]");
  if (older) {
    new History(older, find("[data-scroller]"), api, conversationId).addEventListener("older", ({ detail }) =>
      scroller.silently(() => detail.toReversed().forEach((message) => timeline.show(message))),
    );
  }
}

const lookOf = ({ reason }) => (reason ? { state: "failed", reason } : { state: "sending" });

const asMessage = (letter, userId) => ({
  ...letter,
  sender_id: userId,
  kind: "text",
  created_at: new Date(letter.written).toISOString(),
});
