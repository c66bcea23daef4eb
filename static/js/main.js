// Builds what every page with an inbox shares, and connects it to the socket.
//
// The rooms beside this file. A module imports from its own room and from those above it in this list
// (tests/checks/test_scripts.py); for the rest, modules emit events, and main.js and conversation.js connect them.
//
//   text        how texts, names, times and sizes are shown
//   net         the socket, the REST API, sending and uploading
//   store       what the page and the browser know: conversations, people, unsent messages, drafts
//   page        controls and notices that any page may have
//   inbox       the list of conversations, and who is online or typing
//   timeline    the messages of the open conversation, and what can be done with them
//   composer    where a message is written: text, mentions, files, voice
//   entrance    signing in and out

import { Announcement } from "./page/announcement.js";
import { Api } from "./net/api.js";
import { Backoff } from "./net/backoff.js";
import { ConfirmDialog } from "./page/confirm-dialog.js";
import { ConnectionStatus } from "./page/connection-status.js";
import { Conversations } from "./store/conversations.js";
import { DeliveryAcks } from "./net/delivery-acks.js";
import { device } from "./entrance/signed-in.js";
import { enableCopyButtons } from "./page/copy-button.js";
import { Inbox } from "./inbox/inbox.js";
import { localiseAll } from "./text/format.js";
import { mayRetry } from "./net/refusal.js";
import { MemberPicker } from "./page/member-picker.js";
import { Midnight } from "./page/midnight.js";
import { openConversation } from "./conversation.js";
import { Outbox } from "./store/outbox.js";
import { People } from "./store/people.js";
import { Phrases } from "./text/phrases.js";
import { Presence } from "./inbox/presence.js";
import { reloadUnlessWritten } from "./page/reload.js";
import { RemovedNotice } from "./page/removed-notice.js";
import { Sender } from "./net/sender.js";
import { SessionEnd } from "./entrance/session-end.js";
import { SignOut } from "./entrance/sign-out.js";
import { Socket } from "./net/socket.js";
import { Typing } from "./inbox/typing.js";

const find = (selector) => document.querySelector(selector);
const { userId } = document.documentElement.dataset;
const { generation, signIn } = document.body.dataset;
const title = document.title.trim();

const api = new Api("/api/v1", find("meta[name=csrf-token]").content);
const people = new People(api, document.querySelectorAll("[data-person-id]"), {
  isComplete: !document.querySelector("[data-too-many]"),
});
const phrases = new Phrases(JSON.parse(find("#phrases").textContent), people, userId);
const socket = new Socket("/ws/chat", userId, Number(generation));
const typing = new Typing(socket);
const outbox = new Outbox(device);
const sender = new Sender(outbox, socket, api);
const [list, template, archive] = [find("[data-inbox]"), find("#row-template"), find("[data-archive-link]")];
const conversations = new Conversations(people, userId);
const inbox = new Inbox({ list, template, archive, conversations, typing, phrases, people, userId });
const deliveryAcks = new DeliveryAcks(socket, conversations);
const main = find("#main");
const status = find("[data-connection-status]");
new ConnectionStatus(status, socket, signIn);
new SignOut(find("[data-sign-out]"), { device, outbox, dialog: new ConfirmDialog(find("[data-ask-unsent]")) });
new SessionEnd({ device, socket, api, app: find(".app"), status });
new Announcement(find("[data-announcement]"), socket);

const fetchAll = async () => {
  const pages = await Promise.all([api.conversations(), api.conversations(true)]);
  return { items: pages.flatMap(({ data }) => data), isComplete: !pages.some(({ pagination }) => pagination.has_more) };
};
const backoff = new Backoff(() => refresh());
const refresh = async () => {
  try {
    const isCurrent = await conversations.refresh(fetchAll);
    backoff.reset();
    if (!isCurrent) refresh();
  } catch (failure) {
    if (mayRetry(failure)) backoff.retryLater(failure.retryAfter);
  }
};

inbox.addEventListener("unread", ({ detail }) => (document.title = detail ? `(${detail}) ${title}` : title));
socket.addEventListener("restored", () => conversations.forget());
socket.addEventListener("connected", refresh);
socket.addEventListener("resync", refresh);
socket.addEventListener("conversation.created", ({ detail }) => conversations.show(detail));
socket.addEventListener("conversation.updated", ({ detail }) => conversations.applyChanges(detail));
socket.addEventListener("conversation.settings", ({ detail }) => conversations.applySettings(detail) || refresh());
socket.addEventListener("conversation.removed", ({ detail }) => conversations.remove(detail.conversation_id));
socket.addEventListener("message.created", ({ detail }) => conversations.receive(detail) || refresh());
socket.addEventListener("message.updated", ({ detail }) => conversations.receive(detail) || refresh());

sender.addEventListener("delivered", ({ detail }) => {
  conversations.receive({ conversation_id: detail.conversation_id, message: detail });
});

localiseAll(main);
new Midnight();
enableCopyButtons(main);
for (const field of document.querySelectorAll("[data-picker]")) new MemberPicker(field, api);
const shownId =
  find("[data-timeline]")?.dataset.conversationId ?? find("[data-about-conversation]")?.dataset.aboutConversation;
const removedNotice = shownId && new RemovedNotice(socket, shownId, main, find("#removed-template"));
new Presence(document.querySelectorAll("[data-presence]"), socket, phrases);
openConversation({
  api,
  conversations,
  deliveryAcks,
  device,
  outbox,
  people,
  phrases,
  removedNotice,
  sender,
  socket,
  typing,
  userId,
});
// After a restore the conversation is loaded anew in place, so that nothing that is written in it is lost.
socket.addEventListener("restored", () => find("[data-timeline]") ?? reloadUnlessWritten(main));
socket.connect();
