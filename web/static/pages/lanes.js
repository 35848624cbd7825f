/** What takes the same time stands side by side. @import {AppointmentView} from '../../types/wire.js' */

const MINUTE_MS = 60_000;
/** What is shorter is drawn as long as this, so that a finger finds it. */
const SHORTEST_MINUTES = 15;

/**
 * For each of one day's appointments the lane that it stands in, and how many there are beside each other.
 * @param {AppointmentView[]} planned by their start
 * @returns {Map<string, {lane: number, lanes: number}>}
 */
export function lanesOf(planned) {
  /** @type {Map<string, {lane: number, lanes: number}>} */
  const found = new Map();
  /** The ends of the lanes of what stands beside each other. @type {number[]} */
  let ends = [];
  /** @type {{lane: number, lanes: number}[]} */
  let together = [];
  for (const { appointment, starts_at, minutes } of planned) {
    const start = Date.parse(starts_at);
    if (ends.every((end) => end <= start)) [ends, together] = [[], []];
    const free = ends.findIndex((end) => end <= start);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = start + Math.max(minutes, SHORTEST_MINUTES) * MINUTE_MS;
    const place = { lane, lanes: 1 };
    together.push(place);
    for (const one of together) one.lanes = ends.length;
    found.set(appointment, place);
  }
  return found;
}
