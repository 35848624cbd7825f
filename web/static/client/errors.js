/** @import {Current, Taken} from './wire.js' */

/**
 * An error with a stable code: the server's catalogue (`docs/protocol.md`), or `offline`, `timeout`, `internal`
 * where the server could not be asked.
 */
export class WireError extends Error {
  /**
   * @param {string} code
   * @param {'protocol' | 'user' | 'internal'} category
   * @param {string} message in English, for developers; texts for people go by code
   * @param {string | null} [field] with `invalid`: the field that is wrong, where one is
   * @param {string[]} [doubts] with `doubtful`: what to ask about
   * @param {string | null} [challenge] with `factor_needed`, `factor_set_up_needed`: what the next step takes
   * @param {Current | null} [current] with `conflict` of an appointment: what it is now
   * @param {Taken[]} [taken] with `doubtful`: the times at which there is another
   * @param {string | null} [reason] with `invalid` of a telephone number: why
   */
  constructor(code, category, message, field = null, doubts = [], challenge = null, current = null, taken = [], reason = null) {
    super(message);
    this.name = 'WireError';
    this.code = code;
    this.category = category;
    this.field = field;
    this.doubts = doubts;
    this.challenge = challenge;
    this.current = current;
    this.taken = taken;
    this.reason = reason;
  }

  /**
   * The error in a server's answer; anything that is none becomes `internal`.
   * @param {unknown} body
   */
  static from(body) {
    const { code, category, message, field, doubts, challenge, current, taken, reason } = /** @type {Record<string, unknown>} */ (body ?? {});
    if (typeof code !== 'string') return new WireError('internal', 'internal', 'The answer was not understood.');
    const known = category === 'protocol' || category === 'user' ? category : 'internal';
    const words = typeof message === 'string' ? message : code;
    const asked = Array.isArray(doubts) ? doubts.filter((one) => typeof one === 'string') : [];
    const next = typeof challenge === 'string' ? challenge : null;
    const now = current && typeof current === 'object' ? /** @type {Current} */ (current) : null;
    const times = Array.isArray(taken) ? /** @type {Taken[]} */ (taken) : [];
    const why = typeof reason === 'string' ? reason : null;
    return new WireError(code, known, words, typeof field === 'string' ? field : null, asked, next, now, times, why);
  }
}

export const offline = () => new WireError('offline', 'user', 'There is no connection to the server.');
export const timedOut = () => new WireError('timeout', 'user', 'The server did not answer in time.');
