// Addresses in a text, made to click. Nothing is ever read as HTML.

const ADDRESS = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/giu;

function anchor(address) {
  const link = document.createElement("a");
  link.href = address;
  link.rel = "noopener noreferrer nofollow";
  link.target = "_blank";
  link.textContent = address;
  return link;
}

/** A text as nodes, with its web addresses as links. */
export function linked(text) {
  const nodes = [];
  let end = 0;
  for (const { 0: address, index } of text.matchAll(ADDRESS)) {
    nodes.push(document.createTextNode(text.slice(end, index)), anchor(address));
    end = index + address.length;
  }
  nodes.push(document.createTextNode(text.slice(end)));
  return nodes;
}
