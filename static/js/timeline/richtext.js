// A text as DOM nodes: web addresses become links, mentions are highlighted. Nothing is ever parsed as HTML.
// The grammar is explained in messaging/messages/richtext.py; tests/messaging/messages/texts.json tests both.

import { fold } from "../text/fold.js";

const MARK =
  /(?<![A-Za-z0-9_])(?<scheme>[Hh][Tt][Tt][Pp][Ss]?:\/\/)|(?<=[\p{L}\p{N}])(?::[/~]|\.[\p{L}\p{N}\-]+(?::[0-9]{1,5})?\/)|@(?<![\p{L}\p{N}_]\p{M}*@)(?<name>[A-Za-z0-9_.\-\u00df\u1e9e\u017f\u0130\u0307\u212a\ufb00-\ufb06]+)/gu;
const AUTHORITY = /\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?|[\p{L}\p{M}\p{N}\p{So}._@:\-]*/uy;
const HOST =
  /^(?:localhost|(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}|\[[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]|(?:(?!-)[\p{L}\p{M}\p{N}\p{So}_\-]{1,63}(?<!-)\.){1,126}(?![0-9]+(?![^.:]))(?=[^.:]{2})(?!-)[\p{L}\p{M}\p{N}\p{So}_\-]{1,63}(?<!-)\.?)(?::[0-9]{1,5})?$/u;
const PLAIN =
  /(?:[!'*,.:;?\u2019]|[^\s<>"`()\[\]{}\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Terminal_Punctuation}\u00a1\u00bf\u2026\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0])*/uy;
const CLOSING = { "(": ")", "[": "]", "{": "}" };
const SENTENCE_MARKS = ".,;:!?'\u2019";
// A folded name may be shorter than the written one: İ may be two characters.
const LONGEST_NAME = 60;

/** Links as `{ start, end }`, and names outside of addresses as `{ start, name }`, in the order of the text. */
export function* marksIn(text) {
  let addressEnd = 0;
  const mark = new RegExp(MARK);
  for (let found = mark.exec(text); found; found = mark.exec(text)) {
    const [start, from] = [found.index, mark.lastIndex];
    const { scheme, name } = found.groups;
    const end = scheme && endOfLink(text, from);
    if (name) {
      if (start >= addressEnd) yield { start, name };
    } else if (end) {
      yield { start, end };
      mark.lastIndex = end;
      addressEnd = Math.max(addressEnd, end);
    } else if (start >= addressEnd) {
      addressEnd = endOfAddress(text, from);
    }
  }
}

/** The end of what a sticky pattern matches from an index on. */
function after(pattern, text, from) {
  pattern.lastIndex = from;
  return from + pattern.exec(text)[0].length;
}

function endOfLink(text, from) {
  const end = after(AUTHORITY, text, from);
  const hasPath = "/?#".includes(text[end] ?? " ");
  const hostEnd = hasPath ? end : withoutMarks(text, end, from);
  if (!HOST.test(text.slice(from, hostEnd))) return null;
  return hasPath ? endOfAddress(text, end) : hostEnd;
}

function endOfAddress(text, from) {
  const open = [];
  for (let end = after(PLAIN, text, from); ; end = after(PLAIN, text, end + 1)) {
    const sign = text[end];
    if (sign in CLOSING) open.push(CLOSING[sign]);
    else if (!open.length || sign !== open.pop()) return withoutMarks(text, end, from);
  }
}

function withoutMarks(text, end, least) {
  while (end > least && (SENTENCE_MARKS.includes(text[end - 1]) || text[end - 1] in CLOSING)) end -= 1;
  return end;
}

function anchor(address) {
  const link = document.createElement("a");
  link.href = address;
  link.rel = "noopener noreferrer nofollow";
  link.target = "_blank";
  link.textContent = address;
  return link;
}

function mention(name, isMe) {
  const mark = document.createElement("span");
  mark.className = isMe ? "mention mention--me" : "mention";
  mark.textContent = name;
  return mark;
}

/** The mentioned name at the start of what follows an @: the shortest match, as dots may end the sentence. */
function mentionedName(run, names) {
  let end = run.length;
  while (end && "._-".includes(run[end - 1])) end -= 1;
  for (; end <= Math.min(run.length, LONGEST_NAME); end += 1) {
    if (names.has(fold(run.slice(0, end)))) return run.slice(0, end);
  }
  return null;
}

/** Blank lines around a text are hidden but stay in it, so that copying or editing gives the whole text. */
function hidden(text) {
  const blank = document.createElement("span");
  blank.hidden = true;
  blank.textContent = text;
  return blank;
}

/** The start and end of a text without the blank lines around it; spaces within its lines belong to it. */
function innerLines(text) {
  const start = text.slice(0, text.length - text.trimStart().length).lastIndexOf("\n") + 1;
  const end = Math.max(start, text.trimEnd().length);
  return [start, text.includes("\n", end) ? end : text.length];
}

/** `names` maps the mentioned usernames to whether that is the reader. */
export function nodesOf(text, names = new Map()) {
  const [start, end] = innerLines(text);
  const [before, after] = [text.slice(0, start), text.slice(end)].map((blank) => (blank ? [hidden(blank)] : []));
  return [...before, ...marked(text.slice(start, end), names), ...after];
}

function marked(text, names) {
  const nodes = [];
  let done = 0;
  for (const { start, end, name: run } of marksIn(text)) {
    const name = run && mentionedName(run, names);
    if (run && !name) continue;
    nodes.push(document.createTextNode(text.slice(done, start)));
    nodes.push(name ? mention(`@${name}`, names.get(fold(name))) : anchor(text.slice(start, end)));
    done = name ? start + name.length + 1 : end;
  }
  nodes.push(document.createTextNode(text.slice(done)));
  return nodes;
}
