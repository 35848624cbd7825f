import { now } from '../client/clock.js';
import { agenda } from '../client/rest.js';
import { batch, effect, signal } from '../vendor/signals-core-1.14.5/signals-core.module.js';
import { copy, say, slot } from './build.js';
import { dayOf, day, daysAway, elsewhere, fromTo, fullDay, place } from './dates.js';
import { entry, heading, stand, unread } from './entries.js';
import { guestOf } from './guests.js';
import { explain, t } from './language.js';
import { Rows } from './rows.js';
import { Week, weekNumber, weekOf } from './week.js';
import { daysLater } from './zone.js';

/** @import {AppointmentView, DeskView, Retention, UnreadableView} from '../../types/wire.js' */
/** @import {Acts, State} from './entries.js' */

const COPIED_MS = 2500;

/** One day of appointments as a line, or a week of them as a grid or a list; also knows the names of everybody who may come around today. */
export class Day {
  /** The practice's calendar day that is asked for, `YYYY-MM-DD`. */
  shown = dayOf();
  known = signal(/** @type {Map<string, AppointmentView>} */ (new Map()));
  /** What of it is shown. */
  #view = signal(/** @type {'day' | 'week' | 'list'} */ ('day'));
  /** The central setting. */
  retention = signal(/** @type {Retention | null} */ (null));
  /** The day that was read last; null before the first. */
  #day = signal(/** @type {string | null} */ (null));
  /** Those that cannot be read: nobody knows their day. */
  #unreadable = signal(/** @type {UnreadableView[]} */ ([]));
  /** Appointments with somebody waiting, and the one in consult. */
  #waiting = signal(/** @type {Set<string>} */ (new Set()));
  #running = signal(/** @type {string | null} */ (null));
  /** Appointments of which more is shown. */
  #unfolded = signal(/** @type {Set<string>} */ (new Set()));
  /** Those whose link was copied a moment ago, and whether that worked. */
  #copied = signal(/** @type {Map<string, boolean>} */ (new Map()));
  /** The moment as of which the day is drawn. */
  #at = signal(now());
  #today = true;
  #asked = 0;
  /** @type {Acts} */ #acts;

  /**
   * @param {HTMLElement} root
   * @param {Omit<Acts, 'copy' | 'unfold'> & {create: (day: string, time?: string) => void}} acts
   */
  constructor(root, acts) {
    this.root = root;
    this.#acts = { ...acts, copy: (one) => this.#copy(one), unfold: (one) => this.#unfold(one) };
    const rows = new Rows(slot(root, 'day'));
    const week = new Week(slot(root, 'week'), {
      open: (one) => this.#open(one),
      create: acts.create,
      day: (day) => this.#look(day),
    });
    effect(() => {
      const day = this.#day.value;
      if (day !== null) this.#draw(day, rows, week);
    });
    effect(() => {
      const leaving = [...this.known.value.values()].map(leaves).filter((at) => at > this.#at.value);
      if (!leaving.length) return undefined;
      const timer = window.setTimeout(() => (this.#at.value = now()), Math.min(...leaving) - now() + 1);
      return () => window.clearTimeout(timer);
    });
  }

  /** Of the patient, or of the guest that somebody is. @param {string} appointment @param {string} [guest] */
  name(appointment, guest) {
    const one = this.known.value.get(appointment);
    return (guest ? guestOf(one, guest)?.name : one?.patient) ?? t('day.unknown');
  }

  /** As what somebody takes part, and with whom; null for the patient. @param {string} appointment @param {string} [guest] */
  role(appointment, guest) {
    if (!guest) return null;
    const role = guestOf(this.known.value.get(appointment), guest)?.role ?? 'guest';
    return t('guests.with', { role: t(`guests.role.${role}`), name: this.name(appointment) });
  }

  /** It was corrected. @param {AppointmentView} one */
  put(one) {
    this.known.value = new Map(this.known.value).set(one.appointment, one);
  }

  /** When it was planned to end. @param {string} appointment */
  ends(appointment) {
    const one = this.known.value.get(appointment);
    return one ? new Date(endOf(one)) : null;
  }

  /** Somebody came or went. @param {DeskView} view */
  see(view) {
    batch(() => {
      this.#waiting.value = new Set(view.waiting.map((one) => one.appointment));
      this.#running.value = view.in_consult;
      this.#at.value = now();
    });
  }

  /** @param {string} view as a day, a week or a list */
  show(view) {
    if (view !== 'day' && view !== 'week' && view !== 'list') return;
    for (const one of this.root.querySelectorAll('[data-show]')) {
      one.setAttribute('aria-pressed', String(/** @type {HTMLElement} */ (one).dataset.show === view));
    }
    this.#view.value = view;
    this.load().catch(() => {});
  }

  /** One of a week, where all that can be done with it is. @param {AppointmentView} one */
  async #open(one) {
    this.#unfolded.value = new Set(this.#unfolded.value).add(one.appointment);
    await this.#look(dayAt(one));
    /** @type {HTMLElement | null} */ (this.root.querySelector(`[data-appointment="${one.appointment}"] button`))?.focus();
  }

  /** Show its day, or its week, from the next time on that it is read. @param {AppointmentView} one */
  turnTo(one) {
    if (!this.#days.includes(dayAt(one))) this.#stay(dayAt(one));
  }

  /** @param {string} day */
  #stay(day) {
    this.shown = day;
    this.#today = daysAway(day) === 0;
  }

  /** @param {string} day */
  async #look(day) {
    this.#stay(day);
    this.#day.value = day;
    this.show('day');
    slot(this.root, 'day-title').focus();
  }

  /** The days that are shown. */
  get #days() {
    return this.#view.value === 'day' ? [this.shown] : weekOf(this.shown);
  }

  /** @param {number} steps days, or weeks where these are shown; 0 is today */
  async move(steps) {
    const days = this.#view.value === 'day' ? steps : steps * 7;
    this.#stay(steps === 0 ? dayOf() : daysLater(this.shown, days));
    await this.load();
  }

  /** Time went by: what was to come is past, and after midnight today is another day. */
  async tick() {
    if (this.#today && daysAway(this.shown) !== 0) await this.move(0);
    else this.#at.value = now();
  }

  /** Fetch the shown day with its neighbours: a day here may be two days on the server. */
  async load() {
    if (this.#today) this.shown = dayOf();
    const asked = ++this.#asked;
    const busy = slot(this.root, 'day-busy');
    busy.hidden = this.known.value.size > 0;
    try {
      const days = this.#days;
      const [first, last] = [daysLater(days[0] ?? this.shown, -1), daysLater(days.at(-1) ?? this.shown, 1)];
      const found = await agenda(first, last);
      if (asked !== this.#asked) return;
      const others = [...this.known.value.values()].filter((one) => dayAt(one) < first || dayAt(one) > last);
      batch(() => {
        this.known.value = new Map([...others, ...found.appointments].map((one) => [one.appointment, one]));
        this.#unreadable.value = found.unreadable;
        this.#day.value = this.shown;
        this.#at.value = now();
      });
      busy.hidden = true;
    } catch (error) {
      if (asked === this.#asked) say(busy, explain(error));
      throw error;
    }
  }

  /** @param {string} shown @param {Rows} rows @param {Week} week */
  #draw(shown, rows, week) {
    const view = this.#view.value;
    const days = view === 'day' ? [shown] : weekOf(shown);
    const today = dayOf(new Date(this.#at.value));
    const list = [...this.known.value.values()]
      .filter((one) => days.includes(dayAt(one)) && leaves(one) > this.#at.value)
      .sort((a, b) => startOf(a) - startOf(b) || a.patient.localeCompare(b.patient));
    this.#drawHead(shown, days.includes(today), list.length);
    slot(this.root, 'week').hidden = view !== 'week';
    if (view === 'week') week.draw(days, list, this.#at.value, (one) => this.#state(one));
    const lines = view === 'week' ? [] : days.flatMap((day) => this.#lines(day, list.filter((one) => dayAt(one) === day), today));
    rows.draw([...lines, ...this.#unreadable.value.map((one) => unread(one, this.#acts))]);
  }

  /** One day's. @param {string} day @param {AppointmentView[]} list @param {string} today */
  #lines(day, list, today) {
    const lines = list.map((one) => entry(one, this.#looks(one), this.#acts));
    // Between what has begun and what is to come.
    if (day === today && list.length) lines.splice(list.filter((one) => startOf(one) <= this.#at.value).length, 0, stand(this.#at.value));
    return this.#view.value === 'list' && list.length ? [heading(day), ...lines] : lines;
  }

  /** @param {string} shown @param {boolean} today whether it is among the days @param {number} many how many appointments there are */
  #drawHead(shown, today, many) {
    const view = this.#view.value;
    const week = weekOf(shown);
    const [title, beside] =
      view === 'day' ? [day(shown), fullDay(shown)] : [t('week.title', { n: weekNumber(shown) }), fromTo(week[0] ?? shown, week[6] ?? shown)];
    say(slot(this.root, 'day-zone'), elsewhere(new Date(`${shown}T12:00Z`)) ? t('day.zone', { place }) : null);
    slot(this.root, 'day-title').textContent = title.charAt(0).toLocaleUpperCase() + title.slice(1);
    slot(this.root, 'day-date').textContent = title === beside ? '' : beside;
    const step = view === 'day' ? 'day' : 'week';
    for (const way of ['previous', 'next']) this.root.querySelector(`[data-action="${way}"]`)?.setAttribute('aria-label', t(`${step}.${way}`));
    /** @type {HTMLElement} */ (slot(this.root, 'day').closest('.day')).dataset.shows = view;
    /** @type {HTMLElement} */ (this.root.querySelector('[data-action="today"]')).hidden = today;
    const { value: retention } = this.retention;
    say(slot(this.root, 'day-fate'), many && retention ? t(`day.fate.${retention}`) : null);
    slot(this.root, 'day-empty').hidden = view === 'week' || many + this.#unreadable.value.length > 0;
    slot(this.root, 'day-empty-words').textContent = t(view === 'list' ? 'week.empty' : today ? 'day.empty' : 'day.empty.other');
  }

  /** @param {AppointmentView} one */
  #looks(one) {
    const { appointment } = one;
    return {
      state: this.#state(one),
      unfolded: this.#unfolded.value.has(appointment),
      copied: this.#copied.value.get(appointment),
    };
  }

  /** @param {AppointmentView} one @returns {State} */
  #state(one) {
    if (this.#running.value === one.appointment) return 'running';
    if (one.cancelled) return 'cancelled';
    const over = one.state === 'ended' || endOf(one) < this.#at.value;
    if (over && one.attended === 'missed') return 'missed';
    if (one.state === 'ended') return 'ended';
    if (this.#waiting.value.has(one.appointment)) return 'waiting';
    if (over && one.attended === 'held') return 'held';
    return over ? 'past' : 'planned';
  }

  /** @param {AppointmentView} one */
  #unfold({ appointment }) {
    const unfolded = new Set(this.#unfolded.value);
    if (!unfolded.delete(appointment)) unfolded.add(appointment);
    this.#unfolded.value = unfolded;
  }

  /** @param {AppointmentView} one */
  async #copy({ appointment, link }) {
    const copied = await copy(link);
    this.#copied.value = new Map(this.#copied.value).set(appointment, copied);
    window.setTimeout(() => {
      this.#copied.value = new Map([...this.#copied.value].filter(([one]) => one !== appointment));
    }, COPIED_MS);
  }
}

/** @param {AppointmentView} one @returns {number} ms since the epoch */
const startOf = (one) => Date.parse(one.starts_at);

/** @param {AppointmentView} one */
const endOf = (one) => startOf(one) + one.minutes * 60_000;

/** When it is gone because it was cancelled. @param {AppointmentView} one */
const leaves = (one) => (one.cancelled && one.destroyed_at ? Date.parse(one.destroyed_at) : Infinity);

/** @param {AppointmentView} one */
const dayAt = (one) => dayOf(new Date(one.starts_at));
