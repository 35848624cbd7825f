import { language, plural, practiceZone, t } from './language.js';

/** Moments and days as a person says them: “vandaag 14:30”, “vrijdag 28 november 14:30”. */

const DAY_MS = 86_400_000;
/** A clock of 24 hours, and the day before the month: what a practice writes, also in English. */
const style = language === 'en' ? 'en-GB' : language;
const clock = new Intl.DateTimeFormat(style, { hour: '2-digit', minute: '2-digit' });
const thisYear = new Intl.DateTimeFormat(style, { weekday: 'long', day: 'numeric', month: 'long' });
const otherYear = new Intl.DateTimeFormat(style, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

/** The local calendar day, `YYYY-MM-DD`. @param {Date} date */
export function dayOf(date) {
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The same wall-clock moment `days` later. @param {Date} date @param {number} days */
export function daysLater(date, days) {
  const moved = new Date(date);
  moved.setDate(moved.getDate() + days);
  return moved;
}

/** Calendar days from today to `date`. @param {Date} date @param {Date} [now] */
export function daysAway(date, now = new Date()) {
  const midnight = (/** @type {Date} */ d) => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate());
  return Math.round((midnight(date) - midnight(now)) / DAY_MS);
}

/** @param {Date} date */
export const time = (date) => clock.format(date);

/** As it stands in a sentence: in Dutch with a point, “14.30”. @param {string} at */
const spoken = (at) => (language === 'nl' ? at.replace(':', '.') : at);

/** “zaterdag 22 november”, with the year when it is another one. @param {Date} date */
export function fullDay(date) {
  return (date.getFullYear() === new Date().getFullYear() ? thisYear : otherYear).format(date);
}

/** “vandaag”, “morgen”, “gisteren”, else the full day. @param {Date} date @param {Date} [now] */
export function day(date, now = new Date()) {
  const away = daysAway(date, now);
  if (away === 0) return t('date.today');
  if (away === 1) return t('date.tomorrow');
  if (away === -1) return t('date.yesterday');
  return fullDay(date);
}

/** “vandaag 14:30”. @param {Date | string} moment @param {Date} [now] */
export function moment(moment, now = new Date()) {
  const date = new Date(moment);
  return t('date.moment', { day: day(date, now), time: spoken(time(date)) });
}

/**
 * As `moment`, and what time that is at the practice when the reader is in another zone.
 * @param {string} at
 * @param {Date} [now]
 */
export function momentThere(at, now = new Date()) {
  const date = new Date(at);
  const here = moment(date, now);
  try {
    const there = new Intl.DateTimeFormat(style, { hour: '2-digit', minute: '2-digit', timeZone: practiceZone });
    if (there.format(date) === time(date)) return here;
    const place = practiceZone.split('/').pop()?.replaceAll('_', ' ') ?? practiceZone;
    return t('date.zone', { moment: here, time: spoken(there.format(date)), place });
  } catch {
    return here;
  }
}

/** “20 minuten”. @param {number} n */
export const minutes = (n) => plural('date.minutes', n);

/** How long ago, roughly: “zojuist”, “4 minuten”. @param {number} since ms since the epoch */
export function ago(since) {
  const n = Math.max(0, Math.floor((Date.now() - since) / 60_000));
  return n === 0 ? t('date.just-now') : plural('date.minutes', n);
}

/** RFC 3339 of a local day and time, with the offset that holds there and then. @param {string} on @param {string} at */
export function rfc3339(on, at) {
  const offset = -new Date(`${on}T${at}`).getTimezoneOffset();
  const two = (/** @type {number} */ n) => String(Math.trunc(Math.abs(n))).padStart(2, '0');
  return `${on}T${at}:00${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`;
}
