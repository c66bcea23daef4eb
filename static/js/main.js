// Puts the things on the page together.

import { Api } from "./api.js";
import { Courier } from "./courier.js";
import { Inbox } from "./inbox.js";
import { LinkState } from "./link-state.js";
import { openConversation } from "./conversation.js";
import { Outbox } from "./store/outbox.js";
import { People } from "./people.js";
import { Socket } from "./socket.js";

const find = (selector) => document.querySelector(selector);
const { userId, signIn } = document.body.dataset;
const title = document.title.trim();

const api = new Api("/api/v1", find("meta[name=csrf-token]").content);
const people = new People(document.querySelectorAll("[data-person-id]"));
const socket = new Socket("/ws/chat");
const outbox = new Outbox(userId);
const courier = new Courier(outbox, socket, api);
const inbox = new Inbox(find("[data-inbox]"), find("#row-template"), people, userId);
new LinkState(find("[data-link-state]"), socket, signIn);

const refresh = () => api.conversations().then(({ data }) => inbox.replace(data)).catch(() => {});

inbox.addEventListener("unread", ({ detail }) => (document.title = detail ? `(${detail}) ${title}` : title));
socket.addEventListener("connected", refresh);
socket.addEventListener("resync", refresh);
socket.addEventListener("conversation.created", ({ detail }) => inbox.show(detail));
socket.addEventListener("conversation.updated", refresh);
socket.addEventListener("conversation.settings", refresh);
socket.addEventListener("conversation.removed", ({ detail }) => inbox.remove(detail.conversation_id));
socket.addEventListener("message.created", ({ detail }) => inbox.hear(detail) || refresh());

courier.addEventListener("delivered", ({ detail }) => {
  inbox.hear({ conversation_id: detail.conversation_id, message: detail });
});

openConversation({ api, courier, inbox, outbox, people, socket, userId });
socket.connect();
