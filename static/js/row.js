// Fills the one markup of a conversation in the inbox.

import { initials, localise, tone } from "./format.js";

/** Draw a conversation into its row, as the person `userId` sees it; `people` know the names. */
export function fillRow(row, conversation, { people, userId }) {
  const find = (part) => row.querySelector(`[data-${part}]`);
  const avatar = find("avatar");
  avatar.textContent = initials(conversation.name);
  avatar.className = `row__avatar avatar avatar--large tone-${tone(face(conversation, userId))}`;
  avatar.classList.toggle("avatar--group", conversation.kind === "group");
  find("name").textContent = conversation.name;
  find("preview").textContent = preview(conversation, { people, userId });
  localise(find("time"), conversation.last_message?.created_at ?? conversation.created_at);
  fillBadge(row, conversation.me.unread_count);
}

export function fillBadge(row, unread) {
  row.dataset.unread = unread;
  row.classList.toggle("row--unread", unread > 0);
  row.querySelector("[data-badge]").hidden = !unread;
  row.querySelector("[data-badge-count]").textContent = unread > 99 ? "99+" : unread;
}

/** A direct conversation wears the colour of the other person. */
function face({ kind, id, participants = [] }, userId) {
  const other = participants.find(({ user }) => user.id !== userId);
  return kind === "direct" && other ? other.user.id : id;
}

function preview({ kind, last_message: message }, { people, userId }) {
  if (!message) return "No messages yet";
  if (message.deleted_at) return "Message deleted";
  if (message.sender_id === userId) return `You: ${message.text}`;
  if (message.kind === "notice" || kind === "direct") return message.text;
  return `${people.name(message.sender_id)}: ${message.text}`;
}
