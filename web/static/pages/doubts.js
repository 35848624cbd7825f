import { now } from '../client/clock.js';
import { say, slot } from './build.js';
import { time } from './dates.js';
import { t } from './language.js';
import { overlaps, stands } from './overlap.js';

/** @import {AppointmentView, Doubt, Taken} from '../../types/wire.js' */

const MINUTE_MS = 60_000;

/** What the server asks about before it stores something; null where an error says something else. @param {unknown} error */
export function asked(error) {
  const { code, doubts } = /** @type {{code?: string, doubts?: Doubt[]}} */ (error);
  return code === 'doubtful' && doubts?.length ? doubts : null;
}

/** The same in words. @param {Doubt[]} doubts @param {Taken[]} [taken] the times at which there is another */
export function inWords(doubts, taken = []) {
  const times = taken.map(span).join('; ');
  return doubts.map((doubt) => (doubt === 'double' && times ? t('new.doubt.with', { taken: times }) : t(`new.doubt.${doubt}`))).join(' ');
}

/** From when to when. @param {Taken} taken */
function span({ starts_at, minutes }) {
  const begins = Date.parse(starts_at);
  return `${time(new Date(begins))}–${time(new Date(begins + minutes * MINUTE_MS))}`;
}

/**
 * What is seldom meant is asked about: a time that has passed, or at which there is another appointment, and a label that says more
 * than whom to expect. Once it was shown, pressing the button means it.
 */
export class Doubts {
  /** What is shown. @type {Set<Doubt>} */
  #shown = new Set();
  /** What the button says where nothing is asked. */
  plain = 'new.create';

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.note = slot(form, 'new-doubts');
    this.words = slot(form, 'new-create');
  }

  /**
   * Show what is known here of the time that is filled in.
   * @param {number} start ms since the epoch; NaN where nothing is filled in
   * @param {number} minutes
   * @param {Iterable<AppointmentView>} known
   */
  weigh(start, minutes, known) {
    this.#shown.clear();
    const end = start + minutes * MINUTE_MS;
    const said = [];
    if (end <= now()) {
      this.#shown.add('past');
      said.push(t('new.doubt.past'));
    }
    const others = [...known].filter((one) => stands(one) && overlaps(one, start, end));
    if (others.length) {
      this.#shown.add('double');
      said.push(t('new.doubt.with', { taken: others.map((one) => `${one.patient}, ${span(one)}`).join('; ') }));
    }
    this.#say(said.join(' '));
  }

  /**
   * Store it; what was shown when the button was pressed is meant, and nothing else that the server asks about.
   * @template T
   * @param {(anyway: boolean) => Promise<T>} store
   * @returns {Promise<T>}
   */
  async meaning(store) {
    try {
      return await store(false);
    } catch (error) {
      const doubts = asked(error);
      if (!doubts) throw error;
      if (doubts.every((one) => this.#shown.has(one))) return store(true);
      this.#shown = new Set(doubts);
      this.#say(inWords(doubts, /** @type {{taken?: Taken[]}} */ (error).taken));
      throw error;
    }
  }

  /** @param {string} words */
  #say(words) {
    say(this.note, words || null);
    this.words.textContent = t(words ? 'new.anyway' : this.plain);
  }
}
