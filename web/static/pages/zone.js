/** Calendar and clock of a time zone, by its IANA name: what a wall shows at a moment, and which moment a wall means. */

const DAY_MS = 86_400_000;

/** @type {Map<string, Intl.DateTimeFormat>} */
const walls = new Map();

/** @param {string} zone @throws {RangeError} if this browser does not know it */
function wallOf(zone) {
  let wall = walls.get(zone);
  if (!wall) {
    const two = /** @type {const} */ ('2-digit');
    const parts = { month: two, day: two, hour: two, minute: two, second: two };
    wall = new Intl.DateTimeFormat('en-US', { year: 'numeric', ...parts, hourCycle: 'h23', timeZone: zone });
    walls.set(zone, wall);
  }
  return wall;
}

/** What the wall shows, as if it were UTC, in ms. @param {number} at ms since the epoch @param {string} zone */
function shown(at, zone) {
  /** @type {Record<string, number>} */
  const read = {};
  for (const { type, value } of wallOf(zone).formatToParts(at)) read[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = read;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Minutes ahead of UTC. @param {number} at ms since the epoch @param {string} zone */
export const offsetAt = (at, zone) => Math.round((shown(at, zone) - at) / 60_000);

/** The calendar day, `YYYY-MM-DD`. @param {Date} at @param {string} zone */
export const dayIn = (at, zone) => new Date(shown(at.getTime(), zone)).toISOString().slice(0, 10);

/** The time of day, `HH:MM`. @param {Date} at @param {string} zone */
export const timeIn = (at, zone) => new Date(shown(at.getTime(), zone)).toISOString().slice(11, 16);

/** @param {string} day `YYYY-MM-DD` @param {number} days */
export const daysLater = (day, days) => new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);

/** @param {string} from @param {string} to both `YYYY-MM-DD` */
export const daysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);

/** This machine's zone. */
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * The moment that a wall clock means. One that the clock skips is counted by the offset before it, so it moves forward; of one that
 * comes twice the first is meant (RFC 5545, 3.3.5).
 * @param {string} day `YYYY-MM-DD`
 * @param {string} time `HH:MM`
 * @param {string} zone
 * @returns {{at: Date, rfc3339: string, comes: 'once' | 'never' | 'twice'}} with the offset that holds there and then
 */
export function momentOf(day, time, zone) {
  const wall = Date.parse(`${day}T${time}:00Z`);
  const before = offsetAt(wall - DAY_MS, zone);
  const after = offsetAt(wall + DAY_MS, zone);
  const fits = [...new Set([before, after])].filter((offset) => offsetAt(wall - offset * 60_000, zone) === offset);
  const at = new Date(wall - (fits.length ? Math.max(...fits) : before) * 60_000);
  const comes = fits.length === 2 ? 'twice' : fits.length === 1 ? 'once' : 'never';
  return { at, rfc3339: rfc3339(at, zone), comes };
}

/** @param {Date} at @param {string} zone */
function rfc3339(at, zone) {
  const offset = offsetAt(at.getTime(), zone);
  const two = (/** @type {number} */ n) => String(Math.trunc(Math.abs(n))).padStart(2, '0');
  const there = new Date(shown(at.getTime(), zone)).toISOString().slice(0, 19);
  return `${there}${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`;
}
