// Fills the row of a conversation in the inbox.

import { localise, tone } from "../text/format.js";
import { setAvatar } from "../page/avatar.js";

/** Draw a conversation into its row, as the person with the id `userId` sees it. */
export function fillRow(row, conversation, { phrases, userId, isOpen, typists }) {
  const find = (part) => row.querySelector(`[data-${part}]`);
  const { name, kind, me, avatar_url: picture } = conversation;
  const avatar = find("avatar");
  setAvatar(avatar, name, picture);
  avatar.className = `row__avatar avatar avatar--large tone-${tone(toneSource(conversation, userId))}`;
  avatar.classList.toggle("avatar--group", kind === "group");
  find("name").textContent = name;
  const typing = phrases.typing(typists, kind);
  find("preview").textContent = typing || phrases.preview(conversation, isOpen);
  find("preview").classList.toggle("typing", Boolean(typing));
  find("pinned").hidden = !me.pinned;
  find("muted").hidden = !isMuted(me);
  row.classList.toggle("row--pinned", me.pinned);
  row.classList.toggle("row--muted", isMuted(me));
  localise(find("time"), lastActivity(conversation));
  fillBadge(row, me);
}

function fillBadge(row, { unread_count: unread, mention_count: mentions }) {
  row.dataset.unread = unread;
  row.classList.toggle("row--unread", unread > 0);
  row.querySelector("[data-meant]").hidden = !mentions;
  row.querySelector("[data-badge]").hidden = !unread;
  row.querySelector("[data-badge-count]").textContent = unread > 99 ? "99+" : unread;
}

/** The time of the last message in a conversation or of its creation, or that at which the reader joined it. */
export function lastActivity({ last_message: message, created_at: began, me }) {
  const spoken = message?.created_at ?? began;
  return me.joined_at > spoken ? me.joined_at : spoken;
}

/** Whether the reader has muted a conversation. */
export const isMuted = ({ muted_until: until }) => Boolean(until) && Date.parse(until) > Date.now();

/** The id that decides the colour: a direct conversation has that of the other person. */
function toneSource({ kind, id, participants = [] }, userId) {
  const other = participants.find(({ user }) => user.id !== userId);
  return kind === "direct" && other ? other.user.id : id;
}
