// Cuts texts between graphemes (what people see as one character), as chatproject/core/graphemes.py does.

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The first grapheme of a text. */
export function firstOf(text) {
  const [first] = segmenter.segment(text);
  return first?.segment ?? "";
}

/** As many whole graphemes as fit into `most` code points; if the first one alone is too long, a part of it. */
export function cut(text, most) {
  let [end, length] = [0, 0];
  for (const { segment, index } of segmenter.segment(text)) {
    length += [...segment].length;
    if (length > most) return end ? text.slice(0, end) : [...segment].slice(0, most).join("");
    end = index + segment.length;
  }
  return text;
}
