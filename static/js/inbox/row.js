// Fills the one markup of a conversation in the inbox.

import { localise, tone } from "../text/format.js";
import { setFace } from "../page/avatar.js";

/** Draw a conversation into its row, as the person `userId` sees it. */
export function fillRow(row, conversation, { words, userId, isOpen, typists }) {
  const find = (part) => row.querySelector(`[data-${part}]`);
  const { name, kind, me, avatar_url: picture } = conversation;
  const avatar = find("avatar");
  setFace(avatar, name, picture);
  avatar.className = `row__avatar avatar avatar--large tone-${tone(face(conversation, userId))}`;
  avatar.classList.toggle("avatar--group", kind === "group");
  find("name").textContent = name;
  const typing = words.typing(typists, kind);
  find("preview").textContent = typing || words.preview(conversation, isOpen);
  find("preview").classList.toggle("typing", Boolean(typing));
  find("pinned").hidden = !me.pinned;
  find("muted").hidden = !isMuted(me);
  row.classList.toggle("row--pinned", me.pinned);
  row.classList.toggle("row--muted", isMuted(me));
  localise(find("time"), lastSaid(conversation));
  fillBadge(row, me);
}

function fillBadge(row, { unread_count: unread, mention_count: meant }) {
  row.dataset.unread = unread;
  row.classList.toggle("row--unread", unread > 0);
  row.querySelector("[data-meant]").hidden = !meant;
  row.querySelector("[data-badge]").hidden = !unread;
  row.querySelector("[data-badge-count]").textContent = unread > 99 ? "99+" : unread;
}

/** When something was last said in a conversation. */
export const lastSaid = ({ last_message: message, created_at: began }) => message?.created_at ?? began;

/** Whether someone wants to hear nothing of a conversation for now. */
export const isMuted = ({ muted_until: until }) => Boolean(until) && Date.parse(until) > Date.now();

/** A direct conversation wears the colour of the other person. */
function face({ kind, id, participants = [] }, userId) {
  const other = participants.find(({ user }) => user.id !== userId);
  return kind === "direct" && other ? other.user.id : id;
}
