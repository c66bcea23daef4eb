// A text as nodes: web addresses to click, and the names of those who are meant. Nothing is ever read as HTML.

const PARTS = /\b(?<address>https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}])|(?<![A-Za-z0-9_])@(?<name>[A-Za-z0-9_.-]+)/giu;

function anchor(address) {
  const link = document.createElement("a");
  link.href = address;
  link.rel = "noopener noreferrer nofollow";
  link.target = "_blank";
  link.textContent = address;
  return link;
}

function mention(words, isMe) {
  const mark = document.createElement("span");
  mark.className = isMe ? "mention mention--me" : "mention";
  mark.textContent = words;
  return mark;
}

/** The longest part of what stands behind an @ that is the name of someone meant. */
function meant(run, names) {
  return [run, run.replace(/[._-]+$/, "")].find((name) => names.has(name.toLowerCase()));
}

/** `names` holds the usernames of those who are meant, each with whether that is the reader. */
export function nodesOf(text, names = new Map()) {
  const nodes = [];
  let end = 0;
  for (const { index, groups } of text.matchAll(PARTS)) {
    const name = groups.name && meant(groups.name, names);
    if (!groups.address && !name) continue;
    nodes.push(document.createTextNode(text.slice(end, index)));
    nodes.push(name ? mention(`@${name}`, names.get(name.toLowerCase())) : anchor(groups.address));
    end = index + (name ? name.length + 1 : groups.address.length);
  }
  nodes.push(document.createTextNode(text.slice(end)));
  return nodes;
}
