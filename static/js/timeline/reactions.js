// Fills the reactions under a message. A reaction that stays keeps its element and so the focus.

export function fillReactions(box, reactions, { template, phrases, userId, messageId }) {
  const before = new Map([...box.children].map((button) => [button.value, button]));
  const after = reactions.map((reaction) => {
    const button = before.get(reaction.emoji) ?? template.content.firstElementChild.cloneNode(true);
    fillReaction(button, reaction, phrases, userId);
    button.formAction = `/messages/${messageId}/react`;
    return button;
  });
  for (const button of box.children) if (!after.includes(button)) button.remove();
  for (const [index, button] of after.entries()) {
    if (box.children[index] !== button) box.insertBefore(button, box.children[index] ?? null);
  }
}

function fillReaction(button, { emoji, count, user_ids: ids }, phrases, userId) {
  const who = phrases.reactors(ids);
  button.value = emoji;
  button.title = who;
  button.ariaLabel = `${emoji} ${count}: ${who}`;
  button.ariaPressed = String(ids.includes(userId));
  button.querySelector("[data-emoji]").textContent = emoji;
  button.querySelector("[data-count]").textContent = count;
}
