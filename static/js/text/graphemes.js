// Texts cut between what people see as single characters, as chatproject/core/graphemes.py does it.

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The first grapheme of a text. */
export function firstOf(text) {
  const [first] = segmenter.segment(text);
  return first?.segment ?? "";
}

/** As many whole graphemes of a text as fit into so many code points; of one that is too long alone, a part. */
export function cut(text, most) {
  let [end, length] = [0, 0];
  for (const { segment, index } of segmenter.segment(text)) {
    length += [...segment].length;
    if (length > most) return end ? text.slice(0, end) : [...segment].slice(0, most).join("");
    end = index + segment.length;
  }
  return text;
}
