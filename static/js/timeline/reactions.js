// Fills the reactions under a message. A chip that stays keeps its element, and with it the focus.

export function fillReactions(box, reactions, { template, words, userId, messageId }) {
  const before = new Map([...box.children].map((chip) => [chip.value, chip]));
  const after = reactions.map((reaction) => {
    const chip = before.get(reaction.emoji) ?? template.content.firstElementChild.cloneNode(true);
    fillChip(chip, reaction, words, userId);
    chip.formAction = `/messages/${messageId}/react`;
    return chip;
  });
  for (const chip of box.children) if (!after.includes(chip)) chip.remove();
  after.forEach((chip, index) => box.children[index] === chip || box.insertBefore(chip, box.children[index] ?? null));
}

function fillChip(chip, { emoji, count, user_ids: ids }, words, userId) {
  const who = words.reactors(ids);
  chip.value = emoji;
  chip.title = who;
  chip.ariaLabel = `${emoji} ${count}: ${who}`;
  chip.ariaPressed = String(ids.includes(userId));
  chip.querySelector("[data-emoji]").textContent = emoji;
  chip.querySelector("[data-count]").textContent = count;
}
