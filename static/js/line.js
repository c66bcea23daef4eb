// Fills the one markup of a message.

import { initials, localiseAll, tone } from "./format.js";
import { linked } from "./links.js";

const DELETED = "This message was deleted.";

/** Draw a message into its element; `state` is sent, sending or failed. */
export function fill(article, message, { name, state = "sent", reason = "" }) {
  const find = (part) => article.querySelector(`[data-${part}]`);
  Object.assign(article.dataset, {
    id: message.id,
    position: message.position ?? "",
    senderId: message.sender_id,
    kind: message.kind,
  });
  article.className = `message tone-${tone(message.sender_id)}`;
  article.classList.toggle("message--deleted", Boolean(message.deleted_at));
  article.classList.toggle("message--sending", state === "sending");
  article.classList.toggle("message--failed", state === "failed");
  find("avatar").textContent = initials(name);
  find("sender").textContent = name;
  find("text").replaceChildren(...linked(message.deleted_at ? DELETED : message.text));
  find("edited").hidden = !message.edited_at;
  find("failure").hidden = state !== "failed";
  find("reason").textContent = reason;
  for (const time of article.querySelectorAll("time")) time.dateTime = message.created_at;
  localiseAll(article);
}
