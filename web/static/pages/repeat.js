import { say, slot } from './build.js';
import { dayOf, fullDay } from './dates.js';
import { language, plural, t } from './language.js';
import { parseDay, writeDay } from './typed.js';
import { daysBetween, daysLater } from './zone.js';

/** As on the server. */
const MOST = 53;

/** Of the dialog that plans: how often an appointment is repeated, and until when. */
export class Repeat {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.weeks = /** @type {HTMLSelectElement} */ (form.elements.namedItem('repeat'));
    this.until = /** @type {HTMLInputElement} */ (form.elements.namedItem('until'));
  }

  /** @param {boolean} offered not where one is corrected */
  begin(offered) {
    this.weeks.value = '0';
    this.until.value = '';
    slot(this.form, 'new-repeat').hidden = !offered;
    this.read(NaN);
  }

  /**
   * Show the last day as it was understood, and how many there are.
   * @param {number} start of the first, ms since the epoch
   * @returns {{weeks: number, until: string} | null | 'wrong'} null where it is not repeated
   */
  read(start) {
    const weeks = Number(this.weeks.value);
    slot(this.form, 'new-until').hidden = weeks === 0;
    if (weeks === 0) {
      this.#problem(null);
      say(slot(this.form, 'new-series'), null);
      return null;
    }
    const first = Number.isNaN(start) ? dayOf() : dayOf(new Date(start));
    const until = parseDay(this.until.value, first, language);
    if (until) this.until.value = writeDay(until, language);
    const count = until ? Math.floor(daysBetween(first, until) / (7 * weeks)) + 1 : 0;
    const typed = this.until.value.trim() !== '';
    const fits = count >= 1 && count <= MOST;
    this.#problem(typed && !fits ? t('repeat.until.wrong', { n: MOST }) : null);
    if (!until || !fits) {
      say(slot(this.form, 'new-series'), null);
      return 'wrong';
    }
    const last = daysLater(first, (count - 1) * 7 * weeks);
    say(slot(this.form, 'new-series'), plural('repeat.count', count, { last: fullDay(last) }));
    return { weeks, until };
  }

  /** Say that the last day is missing. */
  demand() {
    if (this.until.value.trim() === '') this.#problem(t('repeat.until.missing'));
    this.until.focus();
  }

  /** @param {string | null} words */
  #problem(words) {
    say(/** @type {HTMLElement} */ (this.form.querySelector('#until-problem')), words);
    this.until.setAttribute('aria-invalid', String(words !== null));
  }
}
