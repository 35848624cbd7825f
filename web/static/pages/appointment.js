import { now } from '../client/clock.js';
import { destroyAppointment, newAppointment } from '../client/rest.js';
import { copy, onAction, openDialog, say, slot } from './build.js';
import { dayOf, elsewhere, minutes, moment, place, spoken, time, zone } from './dates.js';
import { Doubts } from './doubts.js';
import { explain, language, t } from './language.js';
import { firstFree } from './overlap.js';
import { parseDay, parseTime, writeDay } from './typed.js';
import { momentOf } from './zone.js';

/** @import {AppointmentView, Language} from '../../types/wire.js' */

const STEP_MINUTES = 5;

/** The dialog that plans an appointment and then gives the patient's link. */
export class NewAppointment {
  /** What day and time were understood as, ms since the epoch. */
  #start = NaN;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {(made: AppointmentView) => void} onMade
   * @param {() => Iterable<AppointmentView>} known
   */
  constructor(dialog, onMade, known) {
    this.dialog = dialog;
    this.onMade = onMade;
    this.known = known;
    this.form = slot(dialog, 'new-form', HTMLFormElement);
    this.doubts = new Doubts(this.form);
    this.form.addEventListener('change', () => this.weigh());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#create();
    });
    for (const name of ['day', 'time']) this.#field(name).addEventListener('change', () => this.#read());
    onAction(dialog, { close: () => dialog.close(), 'copy-new': (button) => this.#copy(button) });
  }

  /** @param {string} [day] the day that is looked at */
  open(day = dayOf()) {
    this.form.hidden = false;
    slot(this.dialog, 'new-done').hidden = true;
    say(slot(this.dialog, 'new-problem'), null);
    for (const name of ['patient', 'day', 'time']) this.#problem(name, null);
    const soon = new Date(Math.ceil(now() / (STEP_MINUTES * 60_000)) * STEP_MINUTES * 60_000);
    this.#field('patient').value = '';
    this.#field('day').value = writeDay(day <= dayOf() ? dayOf(soon) : day, language);
    this.#field('time').value = time(soon);
    this.#read();
    this.#propose();
    this.weigh();
    openDialog(this.dialog);
    this.#field('patient').focus();
  }

  /** A time at which there is nothing yet, the same day if there is one. */
  #propose() {
    const free = firstFree(this.#start, Number(this.#field('minutes').value), this.known(), STEP_MINUTES);
    if (free === this.#start || Number.isNaN(free)) return;
    this.#field('day').value = writeDay(dayOf(new Date(free)), language);
    this.#field('time').value = time(new Date(free));
    this.#read();
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLInputElement | HTMLSelectElement} */ (this.form.elements.namedItem(name));
  }

  /** @param {string} name @param {string | null} words */
  #problem(name, words) {
    say(/** @type {HTMLElement} */ (this.form.querySelector(`#${name}-problem`)), words);
    this.#field(name).setAttribute('aria-invalid', String(words !== null));
  }

  /** Ask about the time that is filled in, as far as it is known what else there is. */
  weigh() {
    this.doubts.weigh(this.#start, Number(this.#field('minutes').value), this.known());
  }

  #complete() {
    let first = null;
    for (const name of ['time', 'day', 'patient']) {
      const missing = this.#field(name).value.trim() === '';
      this.#problem(name, missing ? t(`new.${name}.missing`) : null);
      if (missing) first = this.#field(name);
    }
    first?.focus();
    return first === null;
  }

  /** Show day and time as they were understood, and whatever is odd about that moment. @returns {string | null} RFC 3339 */
  #read() {
    const day = parseDay(this.#field('day').value, dayOf());
    const clock = parseTime(this.#field('time').value);
    if (day) this.#field('day').value = writeDay(day, language);
    if (clock) this.#field('time').value = clock;
    const meant = day && clock ? momentOf(day, clock, zone) : null;
    const said = [];
    if (meant?.comes === 'never') said.push(t('new.time.never', { time: spoken(clock ?? ''), moved: spoken(time(meant.at)) }));
    if (meant?.comes === 'twice') said.push(t('new.time.twice', { time: spoken(clock ?? '') }));
    if (elsewhere(meant?.at)) said.push(t('new.zone', { place }));
    say(slot(this.form, 'new-when'), said.join(' ') || null);
    for (const [name, found] of [['day', day], ['time', clock]]) {
      const typed = this.#field(String(name)).value.trim() !== '';
      this.#problem(String(name), typed && !found ? t(`new.${name}.missing`) : null);
    }
    this.#start = meant ? meant.at.getTime() : NaN;
    return meant?.rfc3339 ?? null;
  }

  async #create() {
    if (!this.#complete()) return;
    const starts = this.#read();
    if (!starts) return /** @type {HTMLElement} */ (this.form.querySelector('[aria-invalid="true"]')).focus();
    const button = /** @type {HTMLButtonElement} */ (this.form.querySelector('[type="submit"]'));
    button.disabled = true;
    try {
      this.#done(
        await newAppointment({
          patient: this.#field('patient').value.trim(),
          starts_at: starts,
          minutes: Number(this.#field('minutes').value),
          language: /** @type {Language} */ (this.#field('language').value),
          anyway: this.doubts.meant(this.#start, Number(this.#field('minutes').value)),
        }),
      );
    } catch (error) {
      if (!this.doubts.asked(error)) say(slot(this.dialog, 'new-problem'), explain(error));
    } finally {
      button.disabled = false;
    }
  }

  /** @param {AppointmentView} made */
  #done(made) {
    this.form.hidden = true;
    const done = slot(this.dialog, 'new-done');
    done.hidden = false;
    slot(done, 'new-done-words').textContent = t('new.done.words', {
      name: made.patient,
      when: moment(made.starts_at),
      minutes: minutes(made.minutes),
    });
    slot(done, 'new-link', HTMLInputElement).value = made.link;
    /** @type {HTMLElement} */ (done.querySelector('[data-action="copy-new"] span')).textContent = t('link.copy');
    slot(done, 'new-done-title').focus();
    this.onMade(made);
  }

  /** @param {HTMLElement} button */
  async #copy(button) {
    const field = slot(this.dialog, 'new-link', HTMLInputElement);
    field.select();
    const copied = await copy(field.value);
    /** @type {HTMLElement} */ (button.querySelector('span')).textContent = t(copied ? 'link.copied' : 'link.copy.by-hand');
  }
}

/**
 * Ask, then destroy one appointment irrecoverably.
 * @param {HTMLDialogElement} dialog
 * @param {Pick<AppointmentView, 'appointment' | 'patient'>} appointment without a name where it cannot be read
 * @param {(receipt: import('../../types/wire.js').Receipt) => void} onDone
 */
export function askToDestroy(dialog, appointment, onDone) {
  const { patient: name } = appointment;
  slot(dialog, 'destroy-title').textContent = name ? t('destroy.title', { name }) : t('destroy.title.unreadable');
  say(slot(dialog, 'destroy-problem'), null);
  const yes = /** @type {HTMLButtonElement} */ (dialog.querySelector('[data-action="destroy"]'));
  /** @type {HTMLElement} */ (dialog.querySelector('[data-action="close"]')).onclick = () => dialog.close();
  yes.onclick = async () => {
    yes.disabled = true;
    try {
      onDone(await destroyAppointment(appointment.appointment));
      dialog.close();
    } catch (error) {
      say(slot(dialog, 'destroy-problem'), explain(error));
    } finally {
      yes.disabled = false;
    }
  };
  openDialog(dialog);
}
