import { say, slot } from './build.js';
import { time } from './dates.js';
import { t } from './language.js';

const EVERY_MS = 5000;

/** A quiet line in the consult: with whom, what time it is, and until when it was planned. */
export class Clock {
  /** @type {number | undefined} */ #timer;
  /** @type {Date | null} */ #ends = null;

  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
  }

  /** @param {string} name the other person's @param {Date | null} ends the planned end, where it is known */
  set(name, ends) {
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
    say(slot(this.place, 'clock-now'), time(new Date()));
    say(slot(this.place, 'clock-end'), this.#ends && t('call.until', { time: time(this.#ends) }));
  }
}
