/** Days and times as people type them, in the four languages of the pages, and as a field shows them. */

import { daysLater } from './zone.js';

/** Names without accents, in the languages that a short one is looked up in, one after the other. @typedef {Record<string, string[][]>} Names */

/** @param {string} names @returns {string[][]} all forms of each */
const list = (names) => names.split(' ').map((forms) => forms.split('/'));

/** @type {Names} */
const MONTHS = {
  nl: list('januari februari maart/mrt april mei juni juli augustus september oktober november december'),
  en: list('january february march april may june july august september october november december'),
  de: list('januar/janner februar/feber marz/maerz april mai juni juli august september oktober november dezember'),
  fr: list('janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre'),
};
/** @type {Names} */
const WEEKDAYS = {
  nl: list('zondag maandag dinsdag woensdag donderdag vrijdag zaterdag'),
  en: list('sunday monday tuesday wednesday thursday friday saturday'),
  de: list('sonntag montag dienstag mittwoch donnerstag freitag samstag/sonnabend'),
  fr: list('dimanche lundi mardi mercredi jeudi vendredi samedi'),
};
/** Days from today. @type {Record<string, number>} */
const RELATIVE = {
  ...{ gisteren: -1, yesterday: -1, gestern: -1, hier: -1 },
  ...{ vandaag: 0, today: 0, heute: 0, "aujourd'hui": 0 },
  ...{ morgen: 1, tomorrow: 1, demain: 1, overmorgen: 2, ubermorgen: 2, uebermorgen: 2, 'apres-demain': 2 },
};
/** “28th”, “de 28e”, “on”, “am”, “1er”: words that say nothing more. */
const FILLING = new Set('de e ste st nd rd th the of on op am der den dem le du er'.split(' '));
const SHORTEST = { month: 3, weekday: 2 };

/**
 * Which of these names a word is or begins, or −1; what begins a name in two languages is meant in the page's.
 * @param {Names} names
 * @param {string} word
 * @param {number} shortest
 * @param {string} language
 */
function which(names, word, shortest, language) {
  if (word.length < shortest) return -1;
  const found = [language, ...Object.keys(names)].map((one) =>
    (names[one] ?? []).findIndex((forms) => forms.some((name) => name.startsWith(word))),
  );
  return found.find((position) => position >= 0) ?? -1;
}

/** @param {number} year @param {number} month 1 to 12 @param {number} date @returns {string | null} null where there is no such day */
function real(year, month, date) {
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const text = `${String(year).padStart(4, '0')}-${two(month)}-${two(date)}`;
  const parsed = new Date(text);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text) ? text : null;
}

/**
 * The next one that is not past. @param {string} today @param {number} month @param {number} date
 */
function coming(today, month, date) {
  const first = Number(today.slice(0, 4));
  // A 29th of February may be eight years away.
  for (let year = first; year <= first + 8; year += 1) {
    const found = real(year, month, date);
    if (found && found >= today) return found;
  }
  return null;
}

/**
 * “28-11-2026”, “28/11”, “28. Nov.”, “November 28, 2026”, “le 1er décembre”, “vrijdag”, “morgen”, `2026-11-28`: the day comes before
 * the month in figures, and a day without a year is the next one.
 * @param {string} text
 * @param {string} today `YYYY-MM-DD`
 * @param {string} [language] of the page
 * @returns {string | null} `YYYY-MM-DD`, or null if it is none
 */
export function parseDay(text, today, language = 'nl') {
  const plain = text.toLowerCase().normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll('’', "'");
  const parts = plain.match(/\d+|\p{L}+(?:['-]\p{L}+)*/gu) ?? [];
  const figures = parts.filter((part) => /\d/.test(part));
  const spoken = parts.filter((part) => !/\d/.test(part) && !FILLING.has(part));
  /** @param {string} word */
  const month = (word) => which(MONTHS, word, SHORTEST.month, language) + 1;
  /** @param {string} word */
  const weekday = (word) => which(WEEKDAYS, word, SHORTEST.weekday, language);
  const weekdays = spoken.filter((word) => weekday(word) >= 0 && !month(word));
  const named = spoken.filter((word) => !weekdays.includes(word));
  if (!figures.length) return relative(named, weekdays.map(weekday), today);
  if (named.length > 1 || figures.length > 3) return null;
  return named.length ? dated(figures, month(named[0] ?? ''), today) : figured(figures, today);
}

/** @param {string[]} figures @param {number} month 1 to 12, 0 where it is none @param {string} today */
function dated([first = '', second = '', third], month, today) {
  if (month === 0 || third) return null;
  return second ? real(yearOf(second), month, Number(first)) : coming(today, month, Number(first));
}

/** @param {string[]} figures @param {string} today */
function figured([first = '', second = '', third], today) {
  if (!third) return second ? coming(today, Number(second), Number(first)) : null;
  if (first.length === 4) return real(Number(first), Number(second), Number(third));
  return real(yearOf(third), Number(second), Number(first));
}

/** @param {string[]} named @param {number[]} weekdays 0 for Sunday @param {string} today */
function relative(named, weekdays, today) {
  if (named.length + weekdays.length !== 1) return null;
  const away = RELATIVE[named[0] ?? ''];
  if (away !== undefined) return daysLater(today, away);
  const [weekday] = weekdays;
  return weekday === undefined ? null : daysLater(today, (weekday - new Date(today).getUTCDay() + 7) % 7);
}

/** Of two figures this century is meant. @param {string} text */
const yearOf = (text) => (text.length <= 2 ? 2000 : 0) + Number(text);

/**
 * “14:30”, “14.30”, “14u30”, “14 h 30”, “1430”, “9 uur”, “14 Uhr 30”, “2:30 pm”.
 * @param {string} text
 * @returns {string | null} `HH:MM`, or null if it is none
 */
export function parseTime(text) {
  const close = text.toLowerCase().replaceAll(/\s/g, '').replace(/([ap])\.?m\.?$/, '$1m');
  const tidy = close.replace(/(?:uu|uh)r$|heures?$/, '').replace(/(?:uu|uh)r|heures?/, 'h');
  const found = /^(\d{1,2})(?:[:.,uh]?(\d{2})|[uh:.])?(?::\d{2})?(am|pm)?$/.exec(tidy);
  if (!found) return null;
  const [, hours = '', minute = '00', half] = found;
  let hour = Number(hours);
  if (half && (hour < 1 || hour > 12)) return null;
  if (half) hour = (hour % 12) + (half === 'pm' ? 12 : 0);
  if (hour > 23 || Number(minute) > 59) return null;
  return `${String(hour).padStart(2, '0')}:${minute}`;
}

/**
 * A day, and the time behind it where somebody types both at once: “morgen 9u”, “3-12 14:30”, “12/3 2pm”, “vrijdag 14”.
 * @param {string} text
 * @param {string} today `YYYY-MM-DD`
 * @param {string} [language] of the page
 * @returns {{day: string, time: string | null} | null} null if no day is said
 */
export function parseMoment(text, today, language) {
  const words = text.trim().split(/\s+/);
  for (let said = words.length; said > 0; said -= 1) {
    const day = parseDay(words.slice(0, said).join(' '), today, language);
    const time = parseTime(words.slice(said).join(' '));
    if (day && (time || said === words.length)) return { day, time };
  }
  return null;
}

/** @type {Record<string, string>} */
const BETWEEN = { nl: '-', de: '.' };

/** How a field shows a day: “28-11-2026”, “28.11.2026” in German, “28/11/2026” in English and French. @param {string} day @param {string} language */
export function writeDay(day, language) {
  return day.split('-').reverse().join(BETWEEN[language] ?? '/');
}
