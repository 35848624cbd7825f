/** Appointments that take the same time. @import {AppointmentView} from '../../types/wire.js' */

const MINUTE_MS = 60_000;

/**
 * The first moment from `start` on at which nothing else is planned, as far as it is known here.
 * @param {number} start ms since the epoch @param {number} minutes @param {Iterable<AppointmentView>} known @param {number} step minutes
 */
export function firstFree(start, minutes, known, step) {
  const planned = [...known].filter(stands).sort((a, b) => Date.parse(a.starts_at) - Date.parse(b.starts_at));
  for (const one of planned) {
    if (overlaps(one, start, start + minutes * MINUTE_MS)) {
      start = Math.ceil((Date.parse(one.starts_at) / MINUTE_MS + one.minutes) / step) * step * MINUTE_MS;
    }
  }
  return start;
}

/** Whether it takes its time: it has not ended, and was not cancelled. @param {AppointmentView} one */
export const stands = (one) => one.state === 'planned' && !one.cancelled;

/** @param {AppointmentView} one @param {number} start @param {number} end */
export function overlaps(one, start, end) {
  const begins = Date.parse(one.starts_at);
  return begins < end && start < begins + one.minutes * MINUTE_MS;
}
