import { now } from '../client/clock.js';
import { language, plural, practiceZone, t } from './language.js';
import { dayIn, daysBetween, offsetAt, ownZone, timeIn } from './zone.js';

/**
 * Moments and days as a person says them: “vandaag om 14.30 uur”, “vrijdag 28 november om 14.30 uur”.
 *
 * The practice's zone decides at the desk; patients read their own time, and the practice's beside it where that is another.
 * A calendar day is text, `YYYY-MM-DD`.
 */

/** A clock of 24 hours, and the day before the month: what a practice writes, also in English. */
const style = language === 'en' ? 'en-GB' : language;
const words = /** @type {const} */ ({ weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' });
const thisYear = new Intl.DateTimeFormat(style, words);
const otherYear = new Intl.DateTimeFormat(style, { ...words, year: 'numeric' });

/** The practice's zone, or this machine's where the browser does not know that one. */
export const zone = known(practiceZone) ? practiceZone : ownZone();

/** @param {string} name */
function known(name) {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}

/** The practice's calendar day. @param {Date} [at] */
export const dayOf = (at = new Date(now())) => dayIn(at, zone);

/** The practice's time, “14:30”. @param {Date} at */
export const time = (at) => timeIn(at, zone);

/** The time where the reader is: a practitioner's is the practice's, wherever the machine is. @param {string | undefined} role @param {Date} at */
export const timeFor = (role, at) => timeIn(at, role === 'practitioner' ? zone : ownZone());

/** What stands between hours and minutes in a sentence, where that is no colon: “14.30”, “14 h 30” (which a line does not break). @type {Record<string, string>} */
const MIDDLE = { nl: '.', fr: '\u00a0h\u00a0' };

/** A time as it stands in a sentence: in Dutch “14.30”. @param {string} at */
export const spoken = (at) => at.replace(':', MIDDLE[language] ?? ':');

/** Days from today to `day`. @param {string} day @param {string} [today] */
export const daysAway = (day, today = dayOf()) => daysBetween(today, day);

/** “zaterdag 22 november”, with the year when it is another one. @param {string} day @param {string} [today] */
export function fullDay(day, today = dayOf()) {
  return (day.slice(0, 4) === today.slice(0, 4) ? thisYear : otherYear).format(new Date(day));
}

const short = new Intl.DateTimeFormat(style, { weekday: 'short', day: 'numeric', timeZone: 'UTC' });
const span = new Intl.DateTimeFormat(style, { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });

/** “ma 30”. @param {string} day */
export const shortDay = (day) => short.format(new Date(day));

/** “30 november – 6 december 2026”. @param {string} first @param {string} last */
export const fromTo = (first, last) => span.formatRange(new Date(first), new Date(last));

/** “vandaag”, “morgen”, “gisteren”, else the full day. @param {string} day @param {string} [today] */
export function day(day, today = dayOf()) {
  const away = daysAway(day, today);
  if (away === 0) return t('date.today');
  if (away === 1) return t('date.tomorrow');
  if (away === -1) return t('date.yesterday');
  return fullDay(day, today);
}

/** Where the practice's clock hangs: “Amsterdam”. */
export const place = zone.split('/').pop()?.replaceAll('_', ' ') ?? zone;

/** Whether this machine's clock shows another time than the practice's. @param {Date} [at] */
export const elsewhere = (at = new Date(now())) => offsetAt(at.getTime(), zone) !== offsetAt(at.getTime(), ownZone());

/** @param {Date} at @param {Date} today @param {string} where */
const said = (at, today, where) => t('date.moment', { day: day(dayIn(at, where), dayIn(today, where)), time: spoken(timeIn(at, where)) });

/** “vandaag om 14.30 uur”, by the practice's clock, which is named where another is at hand. @param {Date | string} moment @param {Date} [today] */
export function moment(moment, today = new Date(now())) {
  const at = new Date(moment);
  const there = said(at, today, zone);
  return elsewhere(at) ? t('date.there', { moment: there, place }) : there;
}

/**
 * As `moment`, by the reader's clock, and what the practice's shows when that is another.
 * @param {string} moment
 * @param {Date} [today]
 */
export function momentThere(moment, today = new Date(now())) {
  const at = new Date(moment);
  const here = said(at, today, ownZone());
  if (!elsewhere(at)) return here;
  if (dayIn(at, zone) === dayIn(at, ownZone())) return t('date.zone', { moment: here, time: spoken(time(at)), place });
  return t('date.zone.day', { moment: here, there: said(at, today, zone), place });
}

/** “20 minuten”. @param {number} n */
export const minutes = (n) => plural('date.minutes', n);
