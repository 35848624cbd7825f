import { now } from '../client/clock.js';
import { say, slot } from './build.js';
import { time } from './dates.js';
import { t } from './language.js';
import { overlaps } from './overlap.js';

/** @import {AppointmentView} from '../../types/wire.js' */

const MINUTE_MS = 60_000;

/**
 * What is seldom meant is asked about: a time that has passed, or at which there is another appointment. Once it was shown, pressing
 * the button means it.
 */
export class Doubts {
  #shown = '';
  /** What the button says where nothing is asked. */
  plain = 'new.create';
  /** The time that was weighed. */
  #about = '';

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.note = slot(form, 'new-doubts');
    this.words = slot(form, 'new-create');
  }

  /** Whether the person was asked about this time, and it is what they want. @param {number} start @param {number} minutes */
  meant(start, minutes) {
    return this.#shown !== '' && this.#about === `${start} ${minutes}`;
  }

  /**
   * Show what is known here of the time that is filled in.
   * @param {number} start ms since the epoch; NaN where nothing is filled in
   * @param {number} minutes
   * @param {Iterable<AppointmentView>} known
   */
  weigh(start, minutes, known) {
    this.#about = `${start} ${minutes}`;
    const end = start + minutes * MINUTE_MS;
    const said = end <= now() ? [t('new.doubt.past')] : [];
    const other = [...known].find((one) => one.state === 'planned' && overlaps(one, start, end));
    if (other) said.push(t('new.doubt.with', { name: other.patient, time: time(new Date(other.starts_at)) }));
    this.#say(said);
  }

  /** What the server asks about. @param {unknown} error @returns {boolean} whether that was the error */
  asked(error) {
    const { code, doubts } = /** @type {{code?: string, doubts?: ('past' | 'double')[]}} */ (error);
    if (code !== 'doubtful' || !doubts?.length) return false;
    this.#say(doubts.map((doubt) => t(`new.doubt.${doubt}`)));
    return true;
  }

  /** @param {string[]} said */
  #say(said) {
    this.#shown = said.join(' ');
    say(this.note, this.#shown || null);
    this.words.textContent = t(this.#shown ? 'new.anyway' : this.plain);
  }
}
