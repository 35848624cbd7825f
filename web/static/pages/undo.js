import { now } from '../client/clock.js';
import { correctAppointment, destroyAppointment, keepAppointment } from '../client/rest.js';
import { slot } from './build.js';
import { minutes, moment } from './dates.js';
import { explain, plural, t } from './language.js';

/** @import {AppointmentView} from '../../types/wire.js' */

/** So long something can be undone, as on the server. */
const WINDOW_MS = 10_000;

/**
 * What was done last, for a moment, and that it can be undone: by its buttons, or Ctrl+Z outside of fields. Nothing is pending
 * here: what was done is done, or the server does it, whether or not this page stays.
 */
export class Undo {
  /** @type {(() => Promise<unknown>) | null} */ #act = null;
  /** @type {number | undefined} */ #timer;

  /**
   * @param {HTMLElement} root
   * @param {(words: string) => void} onTaken it was undone, or could not be, in words
   */
  constructor(root, onTaken) {
    this.root = root;
    this.onTaken = onTaken;
    document.addEventListener('keydown', (event) => {
      const typing = event.target instanceof Element && event.target.closest('input:not([readonly]), textarea, select');
      if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.key !== 'z' || typing || !this.#act) return;
      event.preventDefault();
      this.take();
    });
  }

  /** @param {AppointmentView[]} all of a series */
  made(all) {
    const words = all.length > 1 ? plural('undo.series', all.length) : t('undo.made', { name: all[0]?.patient ?? '' });
    this.#offer(words, () => Promise.all(all.map(({ appointment }) => destroyAppointment(appointment))));
  }

  /** @param {AppointmentView} one @param {AppointmentView} before */
  corrected(one, { patient, starts_at, minutes: length, language, mail, phone }) {
    const words = t('correct.done', { name: one.patient, when: moment(one.starts_at), minutes: minutes(one.minutes) });
    const told = { mail: mail ?? '', phone: phone ?? '' };
    const back = { seen: one.version, patient, starts_at, minutes: length, language, ...told, anyway: true };
    this.#offer(words, () => correctAppointment(one.appointment, back));
  }

  /** @param {AppointmentView} one */
  cancelled({ appointment, patient: name, destroyed_at: at }) {
    const until = Math.min(Date.parse(String(at)), now() + WINDOW_MS);
    this.#offer(t('undo.cancelled', { name }), () => keepAppointment(appointment), until);
  }

  /** Take back that it was cancelled, here or at another desk. @param {string} appointment */
  async keep(appointment) {
    this.#show('', null);
    await keepAppointment(appointment).then(
      () => this.onTaken(t('undo.done')),
      (error) => this.onTaken(explain(error)),
    );
  }

  async take() {
    const act = this.#act;
    this.#show('', null);
    await act?.().then(
      () => this.onTaken(t('undo.done')),
      (error) => this.onTaken(explain(error)),
    );
  }

  /** @param {string} words what was done @param {() => Promise<unknown>} act what undoes it @param {number} [until] ms since the epoch */
  #offer(words, act, until = now() + WINDOW_MS) {
    this.#show(words, act);
    this.#timer = window.setTimeout(() => this.#show('', null), until - now());
  }

  /** @param {string} words @param {(() => Promise<unknown>) | null} act */
  #show(words, act) {
    window.clearTimeout(this.#timer);
    this.#act = act;
    slot(this.root, 'undo').toggleAttribute('data-shown', act !== null);
    slot(this.root, 'undo-words').textContent = words;
    for (const button of this.root.querySelectorAll('[data-action="undo"]')) /** @type {HTMLElement} */ (button).hidden = !act;
  }
}
