import { now } from '../client/clock.js';
import { say, slot } from './build.js';
import { timeFor } from './dates.js';
import { t } from './language.js';

const EVERY_MS = 5000;

/** A quiet line in the consult: with whom, what time it is, and until when it was planned. */
export class Clock {
  /** @type {number | undefined} */ #timer;
  /** @type {Date | null} */ #ends = null;
  #role = '';

  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
  }

  /**
   * @param {string} name the other person's
   * @param {string} role of whoever reads it
   * @param {Date | null} ends the planned end, where it is known
   */
  set(name, role, ends) {
    this.#role = role;
    slot(this.place, 'clock-name').textContent = name;
    this.#ends = ends;
    this.#show();
  }

  start() {
    this.stop();
    this.#show();
    this.#timer = window.setInterval(() => this.#show(), EVERY_MS);
  }

  stop() {
    window.clearInterval(this.#timer);
  }

  #show() {
    say(slot(this.place, 'clock-now'), timeFor(this.#role, new Date(now())));
    say(slot(this.place, 'clock-end'), this.#ends && t('call.until', { time: timeFor(this.#role, this.#ends) }));
  }
}
