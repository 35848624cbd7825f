import { now } from '../client/clock.js';
import { cancelAppointment, correctAppointment, destroyAppointment, newAppointment, newSeries } from '../client/rest.js';
import { wrongAddress } from './addresses.js';
import { copy, el, onAction, openDialog, say, slot } from './build.js';
import { dayOf, elsewhere, minutes, moment, place, spoken, time, zone } from './dates.js';
import { asked, Doubts } from './doubts.js';
import { explain, language, t } from './language.js';
import { firstFree } from './overlap.js';
import { Presets } from './presets.js';
import { Repeat } from './repeat.js';
import { parseMoment, parseTime, writeDay } from './typed.js';
import { momentOf } from './zone.js';

/** @import {AppointmentView, Correction, Current, Language, Me} from '../../types/wire.js' */

const STEP_MINUTES = 5;

/** The dialog that plans an appointment and then gives the patient's link, or corrects one, whose link stays. */
export class NewAppointment {
  /** What is corrected, as it was seen last; null for a new one. @type {AppointmentView | null} */
  #seen = null;
  /** How patients can be told: by mail, and by text message, unless the organisation has no provider (false). */
  #ways = { mail: false, phone: /** @type {boolean | undefined} */ (undefined) };
  /** What day and time were understood as, ms since the epoch. */
  #start = NaN;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {(made: AppointmentView[]) => void} onMade all of a series
   * @param {(corrected: AppointmentView, before: AppointmentView) => void} onCorrected
   * @param {() => Iterable<AppointmentView>} known
   */
  constructor(dialog, onMade, onCorrected, known) {
    this.dialog = dialog;
    this.onMade = onMade;
    this.onCorrected = onCorrected;
    this.known = known;
    this.form = slot(dialog, 'new-form', HTMLFormElement);
    this.doubts = new Doubts(this.form);
    this.repeat = new Repeat(this.form);
    this.presets = new Presets(this.form, (chosen) => {
      this.#takes(chosen.minutes);
      this.#field('language').value = chosen.language;
      this.weigh();
    });
    this.form.addEventListener('change', () => this.weigh());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#save();
    });
    for (const name of ['repeat', 'until']) this.#field(name).addEventListener('change', () => this.repeat.read(this.#start));
    for (const name of ['day', 'time']) this.#field(name).addEventListener('change', () => this.#read());
    onAction(dialog, { close: () => dialog.close(), 'copy-new': (button) => this.#copy(button) });
  }

  /** How patients of this practitioner can be told of it. @param {Me} person */
  tells({ sends, texts }) {
    this.#ways = { mail: sends ?? false, phone: texts };
  }

  /** @param {string} [day] the day that is looked at @param {string} [clock] where that is known too */
  open(day = dayOf(), clock) {
    const soon = new Date(Math.ceil(now() / (STEP_MINUTES * 60_000)) * STEP_MINUTES * 60_000);
    this.#fill(clock || day > dayOf() ? day : dayOf(soon), clock ?? time(soon));
    if (!clock) this.#propose();
    this.#show();
  }

  /** For somebody who comes this minute. */
  begin() {
    const at = new Date(now());
    this.#fill(dayOf(at), time(at));
    this.#show();
  }

  /** @param {string} day @param {string} clock */
  #fill(day, clock) {
    this.#begin(null, false);
    this.#field('patient').value = '';
    for (const name of ['mail', 'phone']) this.#field(name).value = '';
    this.#code.checked = false;
    this.#field('band').value = '';
    this.#field('day').value = writeDay(day, language);
    this.#field('time').value = clock;
    this.#read();
  }

  /** Correct one. @param {AppointmentView} one @param {boolean} running somebody is in the consult, which keeps its begin */
  correct(one, running) {
    this.#begin(one, running);
    const at = new Date(one.starts_at);
    this.#field('patient').value = one.patient;
    this.#field('mail').value = one.mail ?? '';
    this.#field('phone').value = one.phone ?? '';
    this.#code.checked = one.code ?? false;
    this.#field('day').value = writeDay(dayOf(at), language);
    this.#field('time').value = time(at);
    this.#takes(one.minutes);
    this.#field('language').value = one.language;
    this.#read();
    this.#show();
  }

  /** @param {AppointmentView | null} seen @param {boolean} running */
  #begin(seen, running) {
    this.#seen = seen;
    this.form.hidden = false;
    slot(this.dialog, 'new-done').hidden = true;
    this.repeat.begin(seen === null);
    this.presets.begin(seen === null);
    slot(this.form, 'new-running').hidden = !running;
    slot(this.form, 'new-heading').textContent = t(seen ? 'correct.title' : 'new.title');
    this.doubts.plain = seen ? 'correct.save' : 'new.create';
    say(slot(this.dialog, 'new-problem'), null);
    for (const name of ['patient', 'mail', 'phone', 'code', 'day', 'time']) this.#problem(name, null);
    slot(this.form, 'new-invite').hidden = !this.#ways.mail;
    slot(this.form, 'new-band').hidden = seen !== null;
    slot(this.form, 'new-code').hidden = !this.#ways.mail && !this.#ways.phone;
    slot(this.form, 'new-text').hidden = this.#ways.phone === undefined;
    slot(this.form, 'new-text-hint').textContent = t(this.#ways.phone ? 'new.phone.hint' : 'new.phone.provider');
    // What stands there already can be taken out.
    this.#field('phone').disabled = !this.#ways.phone && !seen?.phone;
    for (const name of ['day', 'time', 'language']) this.#field(name).disabled = running;
  }

  #show() {
    this.weigh();
    openDialog(this.dialog);
    this.#field('patient').focus();
  }

  /** How long, whether or not that is offered yet. @param {number} length minutes */
  #takes(length) {
    const lengths = /** @type {HTMLSelectElement} */ (this.#field('minutes'));
    const offered = [...lengths.options].some(({ value }) => value === String(length));
    if (!offered) lengths.append(el('option', { value: String(length), textContent: minutes(length) }));
    lengths.value = String(length);
  }

  /** A time at which there is nothing yet, the same day if there is one. */
  #propose() {
    const free = firstFree(this.#start, Number(this.#field('minutes').value), this.known(), STEP_MINUTES);
    if (free === this.#start || Number.isNaN(free)) return;
    this.#field('day').value = writeDay(dayOf(new Date(free)), language);
    this.#field('time').value = time(new Date(free));
    this.#read();
  }

  /** Whether whoever opens the link types a code. */
  get #code() {
    return /** @type {HTMLInputElement} */ (this.form.elements.namedItem('code'));
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
    const length = Number(this.#field('minutes').value);
    const others = [...this.known()].filter((one) => one.appointment !== this.#seen?.appointment);
    if (this.#seen && !this.#moved(this.#seen, length)) this.doubts.weigh(NaN, length, others);
    else this.doubts.weigh(this.#start, length, others);
  }

  /** Whether what is filled in takes another time. @param {AppointmentView} seen @param {number} length minutes */
  #moved(seen, length) {
    return this.#start !== this.#minute(seen) || length !== seen.minutes;
  }

  /** When it begins, as far as a field of hours and minutes says. @param {{starts_at: string}} one */
  #minute({ starts_at }) {
    return Math.floor(Date.parse(starts_at) / 60_000) * 60_000;
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
    const { day = null, time: beside = null } = parseMoment(this.#field('day').value, dayOf(), language) ?? {};
    if (beside) this.#field('time').value = beside;
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
    this.repeat.read(this.#start);
    return meant?.rfc3339 ?? null;
  }

  async #save() {
    if (!this.#complete()) return;
    const starts = this.#read();
    if (!starts) return /** @type {HTMLElement} */ (this.form.querySelector('[aria-invalid="true"]')).focus();
    const series = this.#seen ? null : this.repeat.read(this.#start);
    if (series === 'wrong') return this.repeat.demand();
    const button = /** @type {HTMLButtonElement} */ (this.form.querySelector('[type="submit"]'));
    button.disabled = true;
    try {
      const said = {
        patient: this.#field('patient').value.trim(),
        mail: this.#field('mail').value.trim(),
        phone: this.#field('phone').value.trim(),
        code: this.#code.checked,
        starts_at: starts,
        minutes: Number(this.#field('minutes').value),
        language: /** @type {Language} */ (this.#field('language').value),
      };
      const band = /** @type {import('../../types/wire.js').NewAppointment['band']} */ (this.#field('band').value || null);
      const told = { mail: said.mail || null, phone: said.phone || null, band };
      if (this.#seen) await this.#correct(this.#seen, said);
      else if (series) {
        const planned = { ...said, ...series, ...told };
        this.#done((await this.doubts.meaning((anyway) => newSeries({ ...planned, anyway }))).appointments);
      } else this.#done([await this.doubts.meaning((anyway) => newAppointment({ ...said, ...told, anyway }))]);
    } catch (error) {
      const wrong = wrongAddress(error);
      if (wrong) {
        this.#problem(wrong.name, wrong.words);
        this.#field(wrong.name).focus();
      } else if (!asked(error)) say(slot(this.dialog, 'new-problem'), explain(error));
    } finally {
      button.disabled = false;
    }
  }

  /**
   * Only what differs is sent: what somebody else corrects beside it stays theirs.
   * @param {AppointmentView} seen
   * @param {Pick<AppointmentView, 'patient' | 'starts_at' | 'minutes' | 'language'> & {mail: string, phone: string, code: boolean}} said
   * @returns {Promise<void>}
   */
  async #correct(seen, said) {
    /** @type {Correction} */
    const correction = { seen: seen.version };
    if (said.patient !== seen.patient) correction.patient = said.patient;
    if (this.#start !== this.#minute(seen)) correction.starts_at = said.starts_at;
    if (said.mail !== (seen.mail ?? '')) correction.mail = said.mail;
    if (said.phone !== (seen.phone ?? '')) correction.phone = said.phone;
    if (said.code !== (seen.code ?? false)) correction.code = said.code;
    if (said.minutes !== seen.minutes) correction.minutes = said.minutes;
    if (said.language !== seen.language) correction.language = said.language;
    try {
      const corrected = await this.doubts.meaning((anyway) => correctAppointment(seen.appointment, { ...correction, anyway }));
      this.dialog.close();
      this.onCorrected(corrected, seen);
    } catch (error) {
      const { code, current } = /** @type {{code?: string, current?: Current | null}} */ (error);
      if (code !== 'conflict' || !current) throw error;
      this.#seen = { ...seen, ...current, language: /** @type {Language} */ (current.language) };
      // What changed may be what nobody sees here, as when it is destroyed: then it is no question.
      if (['patient', 'starts_at', 'minutes', 'language'].every((name) => Reflect.get(current, name) === Reflect.get(seen, name))) {
        return this.#correct(this.#seen, said);
      }
      const now = t('new.done.words', { name: current.patient, when: moment(current.starts_at), minutes: minutes(current.minutes) });
      say(slot(this.dialog, 'new-problem'), t('correct.conflict', { now }));
      this.weigh();
    }
  }

  /** @param {AppointmentView[]} all */
  #done(all) {
    const [made] = all;
    if (!made) return;
    this.form.hidden = true;
    slot(this.dialog, 'new-rest').hidden = all.length === 1;
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
    this.onMade(all);
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
 * Ask, then destroy one appointment irrecoverably; or cancel it, which destroys it in a moment, if it is to come.
 * @param {HTMLDialogElement} dialog
 * @param {Pick<AppointmentView, 'appointment' | 'patient' | 'told'>} appointment without a name where it cannot be read
 * @param {boolean} coming
 * @param {(cancelled: AppointmentView | null) => void} onDone null where it is destroyed
 */
export function askToDestroy(dialog, { appointment, patient: name, told }, coming, onDone) {
  const kind = coming ? 'cancel' : 'destroy';
  slot(dialog, 'destroy-title').textContent = name ? t(`${kind}.title`, { name }) : t('destroy.title.unreadable');
  slot(dialog, 'destroy-text').textContent = t(`${kind}.text`);
  slot(dialog, 'destroy-yes').textContent = t(`${kind}.yes`);
  slot(dialog, 'destroy-no').textContent = t(coming ? 'cancel.no' : 'base.cancel');
  say(slot(dialog, 'destroy-problem'), null);
  const tell = slot(dialog, 'destroy-tell', HTMLInputElement);
  slot(dialog, 'destroy-telling').hidden = !coming || !told?.length;
  tell.checked = true;
  const yes = slot(dialog, 'destroy-yes', HTMLButtonElement);
  slot(dialog, 'destroy-no').onclick = () => dialog.close();
  yes.onclick = async () => {
    yes.disabled = true;
    try {
      const cancelled = coming ? await cancelAppointment(appointment, tell.checked) : null;
      if (!coming) await destroyAppointment(appointment);
      dialog.close();
      onDone(cancelled);
    } catch (error) {
      say(slot(dialog, 'destroy-problem'), explain(error));
    } finally {
      yes.disabled = false;
    }
  };
  openDialog(dialog);
}
