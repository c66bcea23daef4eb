// Times, names and sizes, formatted for the language of this person, or else of their browser.

import { firstOf } from "./graphemes.js";

const { locale: chosen } = document.documentElement.dataset;
/** The chosen language, in the regional form that the browser names if it names one. */
const locale = chosen ? (navigator.languages.find((each) => each.split("-")[0] === chosen) ?? chosen) : undefined;

const clock = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(locale, { weekday: "long" });
const shortWeekday = new Intl.DateTimeFormat(locale, { weekday: "short" });
const date = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
const shortDate = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" });
const brief = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

const midnight = (when) => new Date(when.getFullYear(), when.getMonth(), when.getDate());
const daysAgo = (when) => Math.round((midnight(new Date()) - midnight(when)) / 86_400_000);

function day(when) {
  const ago = daysAgo(when);
  if (ago < 2) return capital(relative.format(-ago, "day"));
  return ago < 7 ? weekday.format(when) : date.format(when);
}

function near(when) {
  const ago = daysAgo(when);
  if (ago < 1) return clock.format(when);
  return ago < 7 ? shortWeekday.format(when) : shortDate.format(when);
}

const styles = { clock: (when) => clock.format(when), day, near, moment: (when) => brief.format(when) };

const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

/** How long ago something was, in the largest unit that fits. */
export function ago(moment) {
  const passed = Date.now() - Date.parse(moment);
  const [unit, length] = UNITS.find(([, length]) => passed >= length) ?? ["minute", 60_000];
  return passed < 60_000 ? relative.format(0, "second") : relative.format(-Math.floor(passed / length), unit);
}

const capital = (text) => firstOf(text).toLocaleUpperCase() + text.slice(firstOf(text).length);

/** Show a time in the style its element asks for: the clock, the day, or whichever fits its age. */
export function localise(element, moment = element.dateTime) {
  const when = new Date(moment);
  if (!moment || Number.isNaN(when.getTime())) return;
  element.dateTime = moment;
  element.textContent = styles[element.dataset.time](when);
  element.title = full.format(when);
}

/** Localise every time within an element. */
export function localiseAll(root) {
  for (const time of root.querySelectorAll("time[data-time]")) localise(time);
}

export const sameDay = (one, other) => midnight(new Date(one)).getTime() === midnight(new Date(other)).getTime();

/** The first letters of the first and the last word; words that begin with a bracket or dash do not count. */
export function initials(name) {
  const all = name.split(/\s+/).filter(Boolean);
  const worded = all.filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const words = worded.length ? worded : all;
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  return ends.map((word) => firstOf(word).toLocaleUpperCase()).join("");
}

/** One of eight colours; the same id always gets the same one. */
export const tone = (id) => Number.parseInt(id.slice(-2), 16) % 8;

const SIZES = ["B", "kB", "MB", "GB"];

/** A number of bytes as people write it: `950 B`, `1.2 MB`. */
export function bytes(count) {
  const unit = count < 1000 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), SIZES.length - 1);
  const size = count / 1000 ** unit;
  return `${size.toFixed(size >= 10 || !unit ? 0 : 1)} ${SIZES[unit]}`;
}

/** Seconds as a clock shows them: `1:05`. */
export const minutes = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
