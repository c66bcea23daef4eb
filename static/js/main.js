// Puts the things on the page together.

import { Again } from "./net/backoff.js";
import { Announcement } from "./page/announcement.js";
import { Api } from "./net/api.js";
import { Ask } from "./page/confirm-dialog.js";
import { Conversations } from "./store/conversations.js";
import { Courier } from "./net/sender.js";
import { device } from "./entrance/signed-in.js";
import { Ending } from "./entrance/session-end.js";
import { Farewell } from "./page/removed-notice.js";
import { Inbox } from "./inbox/inbox.js";
import { LinkState } from "./page/connection-status.js";
import { localiseAll } from "./text/format.js";
import { mayPass } from "./net/refusal.js";
import { Midnight } from "./page/midnight.js";
import { offerCopies } from "./page/copy-button.js";
import { openConversation } from "./conversation.js";
import { Outbox } from "./store/outbox.js";
import { People } from "./store/people.js";
import { Picker } from "./page/member-picker.js";
import { Presence } from "./inbox/presence.js";
import { Receiver } from "./net/delivery-acks.js";
import { SignOut } from "./entrance/sign-out.js";
import { Socket } from "./net/socket.js";
import { Typists } from "./inbox/typing.js";
import { Words } from "./text/phrases.js";

const find = (selector) => document.querySelector(selector);
const { userId } = document.documentElement.dataset;
const { signIn } = document.body.dataset;
const title = document.title.trim();

const api = new Api("/api/v1", find("meta[name=csrf-token]").content);
const people = new People(api, document.querySelectorAll("[data-person-id]"), {
  isWhole: !document.querySelector("[data-too-many]"),
});
const words = new Words(JSON.parse(find("#words").textContent), people, userId);
const socket = new Socket("/ws/chat", userId);
const typists = new Typists(socket);
const outbox = new Outbox(device);
const courier = new Courier(outbox, socket, api);
const [list, template, archive] = [find("[data-inbox]"), find("#row-template"), find("[data-archive-link]")];
const conversations = new Conversations(people, userId);
const inbox = new Inbox({ list, template, archive, conversations, typists, words, people, userId });
const receiver = new Receiver(socket, conversations);
const main = find("#main");
new LinkState(find("[data-link-state]"), socket, signIn);
new SignOut(find("[data-sign-out]"), { device, outbox, ask: new Ask(find("[data-ask-unsent]")) });
new Ending({ device, socket, api, app: find(".app"), linkState: find("[data-link-state]") });
new Announcement(find("[data-announcement]"), socket);

const fetchAll = async () => {
  const pages = await Promise.all([api.conversations(), api.conversations(true)]);
  return { items: pages.flatMap(({ data }) => data), isWhole: !pages.some(({ pagination }) => pagination.has_more) };
};
const again = new Again(() => refresh());
const refresh = async () => {
  try {
    const isWell = await conversations.renew(fetchAll);
    again.well();
    if (!isWell) refresh();
  } catch (failure) {
    if (mayPass(failure)) again.later(failure.retryAfter);
  }
};

inbox.addEventListener("unread", ({ detail }) => (document.title = detail ? `(${detail}) ${title}` : title));
socket.addEventListener("connected", refresh);
socket.addEventListener("resync", refresh);
socket.addEventListener("conversation.created", ({ detail }) => conversations.show(detail));
socket.addEventListener("conversation.updated", ({ detail }) => conversations.change(detail));
socket.addEventListener("conversation.settings", ({ detail }) => conversations.settle(detail) || refresh());
socket.addEventListener("conversation.removed", ({ detail }) => conversations.remove(detail.conversation_id));
socket.addEventListener("message.created", ({ detail }) => conversations.hear(detail) || refresh());
socket.addEventListener("message.updated", ({ detail }) => conversations.hear(detail) || refresh());

courier.addEventListener("delivered", ({ detail }) => {
  conversations.hear({ conversation_id: detail.conversation_id, message: detail });
});

localiseAll(main);
new Midnight();
offerCopies(main);
for (const field of document.querySelectorAll("[data-picker]")) new Picker(field, api);
const about = find("[data-timeline]")?.dataset.conversationId ?? find("[data-about-conversation]")?.dataset.aboutConversation;
const farewell = about && new Farewell(socket, about, main, find("#farewell-template"));
new Presence(document.querySelectorAll("[data-presence]"), socket, words);
openConversation({ api, conversations, courier, device, farewell, outbox, people, receiver, socket, typists, userId, words });
socket.connect();
