// Fills the markup of a message, and reads it.

import { localiseAll, tone } from "../text/format.js";
import { setAvatar } from "../page/avatar.js";
import { fillAttachments } from "./attachments.js";
import { nodesOf } from "./richtext.js";

/** Draw a message into its element; `state` is sent, sending or failed. */
export function fillMessage(article, message, shown) {
  const { name, avatar, text, lang, names, isMentioned, state = "sent", reason = "", progress = null } = shown;
  const find = (part) => article.querySelector(`[data-${part}]`);
  Object.assign(article.dataset, {
    id: message.id,
    position: message.position ?? "",
    version: message.version ?? "",
    senderId: message.sender_id,
    kind: message.kind,
    mentions: message.mentions?.join(" ") ?? "",
    replyTo: message.reply_to_id ?? "",
  });
  article.className = `message tone-${tone(message.sender_id)}`;
  const media = message.deleted_at ? [] : (message.media ?? []);
  article.classList.toggle("message--laden", media.length > 0);
  article.classList.toggle("message--wordless", media.length > 0 && !text);
  article.classList.toggle("message--deleted", Boolean(message.deleted_at));
  article.classList.toggle("message--meant", isMentioned);
  article.classList.toggle("message--sending", state === "sending");
  article.classList.toggle("message--failed", state === "failed");
  setAvatar(find("avatar"), name, avatar);
  find("sender").textContent = name;
  find("text").replaceChildren(...nodesOf(text, names));
  find("text").lang = lang;
  fillAttachments(find("attachments"), media);
  find("progress").hidden = progress === null;
  find("progress-bar").value = progress ?? 0;
  find("more").href = `/messages/${message.id}`;
  find("edited").hidden = !message.edited_at || Boolean(message.deleted_at);
  find("failure").hidden = state !== "failed";
  find("reason").textContent = reason;
  for (const time of article.querySelectorAll("time")) time.dateTime = message.created_at;
  localiseAll(article);
}

/** Read a message from its element, whether the server or this page drew it. */
export function readMessage(article) {
  const find = (part) => article.querySelector(`[data-${part}]`);
  const { id, position, senderId, kind } = article.dataset;
  return {
    id,
    senderId,
    kind,
    isStored: Boolean(position),
    hasMedia: article.classList.contains("message--laden"),
    isDeleted: article.classList.contains("message--deleted"),
    sender: find("sender").textContent,
    text: find("text").textContent,
    at: Date.parse(article.querySelector("time").dateTime),
  };
}
