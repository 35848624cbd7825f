import { now } from '../client/clock.js';
import { agenda } from '../client/rest.js';
import { batch, effect, signal } from '../vendor/signals-core-1.14.5/signals-core.module.js';
import { copy, say, slot } from './build.js';
import { dayOf, day, daysAway, elsewhere, fullDay, place } from './dates.js';
import { entry, stand, unread } from './entries.js';
import { explain, t } from './language.js';
import { Rows } from './rows.js';
import { daysLater } from './zone.js';

/** @import {AppointmentView, DeskView, Retention, UnreadableView} from '../../types/wire.js' */
/** @import {Acts, State} from './entries.js' */

const COPIED_MS = 2500;

/** One day of appointments as a line; also knows the names of everybody who may come around today. */
export class Day {
  /** The practice's calendar day that is asked for, `YYYY-MM-DD`. */
  shown = dayOf();
  known = signal(/** @type {Map<string, AppointmentView>} */ (new Map()));
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

  /** @param {HTMLElement} root @param {Pick<Acts, 'correct' | 'destroy' | 'invite' | 'reopen' | 'technical'>} acts */
  constructor(root, acts) {
    this.root = root;
    this.#acts = { ...acts, copy: (one) => this.#copy(one), unfold: (one) => this.#unfold(one) };
    const rows = new Rows(slot(root, 'day'));
    effect(() => {
      const day = this.#day.value;
      if (day !== null) this.#draw(day, rows);
    });
  }

  /** @param {string} appointment */
  name(appointment) {
    return this.known.value.get(appointment)?.patient ?? t('day.unknown');
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

  /** @param {number} days */
  async move(days) {
    this.shown = days === 0 ? dayOf() : daysLater(this.shown, days);
    this.#today = daysAway(this.shown) === 0;
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
      const [first, last] = [daysLater(this.shown, -1), daysLater(this.shown, 1)];
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

  /** @param {string} shown @param {Rows} rows */
  #draw(shown, rows) {
    const today = daysAway(shown, dayOf(new Date(this.#at.value))) === 0;
    const list = [...this.known.value.values()]
      .filter((one) => dayAt(one) === shown)
      .sort((a, b) => startOf(a) - startOf(b) || a.patient.localeCompare(b.patient));
    this.#drawHead(shown, today, list.length);
    const lines = list.map((one) => entry(one, this.#look(one), this.#acts));
    // Between what has begun and what is to come.
    if (today && list.length) lines.splice(list.filter((one) => startOf(one) <= this.#at.value).length, 0, stand(this.#at.value));
    rows.draw([...lines, ...this.#unreadable.value.map((one) => unread(one, this.#acts))]);
  }

  /** @param {string} shown @param {boolean} today @param {number} many how many appointments there are */
  #drawHead(shown, today, many) {
    const title = day(shown);
    say(slot(this.root, 'day-zone'), elsewhere(new Date(`${shown}T12:00Z`)) ? t('day.zone', { place }) : null);
    slot(this.root, 'day-title').textContent = title.charAt(0).toLocaleUpperCase() + title.slice(1);
    slot(this.root, 'day-date').textContent = title === fullDay(shown) ? '' : fullDay(shown);
    /** @type {HTMLElement} */ (this.root.querySelector('[data-action="today"]')).hidden = today;
    const { value: retention } = this.retention;
    say(slot(this.root, 'day-fate'), many && retention ? t(`day.fate.${retention}`) : null);
    slot(this.root, 'day-empty').hidden = many + this.#unreadable.value.length > 0;
    slot(this.root, 'day-empty-words').textContent = t(today ? 'day.empty' : 'day.empty.other');
  }

  /** @param {AppointmentView} one */
  #look(one) {
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
    if (one.state === 'ended') return 'ended';
    if (this.#waiting.value.has(one.appointment)) return 'waiting';
    return endOf(one) < this.#at.value ? 'past' : 'planned';
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

/** @param {AppointmentView} one */
const dayAt = (one) => dayOf(new Date(one.starts_at));
