/** Days and times as people type them, in Dutch and English, and as a field shows them. */

import { daysLater } from './zone.js';

const MONTHS = [
  ['januari', 'january'],
  ['februari', 'february'],
  ['maart', 'march', 'mrt'],
  ['april'],
  ['mei', 'may'],
  ['juni', 'june'],
  ['juli', 'july'],
  ['augustus', 'august'],
  ['september'],
  ['oktober', 'october'],
  ['november'],
  ['december'],
];
const WEEKDAYS = [
  ['zondag', 'sunday'],
  ['maandag', 'monday'],
  ['dinsdag', 'tuesday'],
  ['woensdag', 'wednesday'],
  ['donderdag', 'thursday'],
  ['vrijdag', 'friday'],
  ['zaterdag', 'saturday'],
];
/** Days from today. @type {Record<string, number>} */
const RELATIVE = { gisteren: -1, yesterday: -1, vandaag: 0, today: 0, morgen: 1, tomorrow: 1, overmorgen: 2 };
const SHORTEST = { month: 3, weekday: 2 };

/** Which of these names a word is or begins, or −1. @param {string[][]} names @param {string} word @param {number} shortest */
function which(names, word, shortest) {
  if (word.length < shortest) return -1;
  return names.findIndex((forms) => forms.some((name) => name.startsWith(word)));
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
 * “28-11-2026”, “28/11”, “28 nov”, “November 28, 2026”, “vrijdag”, “morgen”, `2026-11-28`: the day comes before the month in figures,
 * and a day without a year is the next one.
 * @param {string} text
 * @param {string} today `YYYY-MM-DD`
 * @returns {string | null} `YYYY-MM-DD`, or null if it is none
 */
export function parseDay(text, today) {
  const parts = text.toLowerCase().match(/\d+|\p{L}+/gu) ?? [];
  const figures = parts.filter((part) => /\d/.test(part));
  // “28th”, “de 28e”, “on”, “van”: words that say nothing more.
  const spoken = parts.filter((part) => !/\d/.test(part) && !['de', 'e', 'ste', 'st', 'nd', 'rd', 'th', 'the', 'of', 'on', 'op'].includes(part));
  const weekdays = spoken.filter((word) => which(WEEKDAYS, word, SHORTEST.weekday) >= 0 && which(MONTHS, word, SHORTEST.month) < 0);
  const named = spoken.filter((word) => !weekdays.includes(word));
  if (!figures.length) return relative(named, weekdays, today);
  const [first = '', second = '', third = ''] = figures;
  if (named.length > 1 || figures.length > 3) return null;
  if (named.length === 1) {
    const month = which(MONTHS, named[0] ?? '', SHORTEST.month) + 1;
    if (month === 0 || figures.length > 2) return null;
    return second ? real(yearOf(second), month, Number(first)) : coming(today, month, Number(first));
  }
  if (first.length === 4 && figures.length === 3) return real(Number(first), Number(second), Number(third));
  if (figures.length === 3) return real(yearOf(third), Number(second), Number(first));
  return figures.length === 2 ? coming(today, Number(second), Number(first)) : null;
}

/** @param {string[]} named @param {string[]} weekdays @param {string} today */
function relative(named, weekdays, today) {
  if (named.length + weekdays.length !== 1) return null;
  const away = RELATIVE[named[0] ?? ''];
  if (away !== undefined) return daysLater(today, away);
  const weekday = which(WEEKDAYS, weekdays[0] ?? '', SHORTEST.weekday);
  return weekday < 0 ? null : daysLater(today, (weekday - new Date(today).getUTCDay() + 7) % 7);
}

/** Of two figures this century is meant. @param {string} text */
const yearOf = (text) => (text.length <= 2 ? 2000 : 0) + Number(text);

/**
 * “14:30”, “14.30”, “14u30”, “1430”, “9 uur”, “2:30 pm”.
 * @param {string} text
 * @returns {string | null} `HH:MM`, or null if it is none
 */
export function parseTime(text) {
  const tidy = text.toLowerCase().replaceAll(/\s|uur$/g, '').replace(/([ap])\.?m\.?$/, '$1m');
  const found = /^(\d{1,2})(?:[:.,uh]?(\d{2})|[uh:.])?(?::\d{2})?(am|pm)?$/.exec(tidy);
  if (!found) return null;
  const [, hours = '', minute = '00', half] = found;
  let hour = Number(hours);
  if (half && (hour < 1 || hour > 12)) return null;
  if (half) hour = (hour % 12) + (half === 'pm' ? 12 : 0);
  if (hour > 23 || Number(minute) > 59) return null;
  return `${String(hour).padStart(2, '0')}:${minute}`;
}

/** How a field shows a day: “28-11-2026”, in English “28/11/2026”. @param {string} day @param {string} language */
export function writeDay(day, language) {
  return day.split('-').reverse().join(language === 'en' ? '/' : '-');
}
