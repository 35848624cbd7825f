import { Consult } from '../client/consult.js';
import { join } from '../client/linked.js';
import { forgetResume, storedResume } from '../client/resume.js';
import { obstacle } from './browsers.js';
import { copy, el, onAction, say, slot } from './build.js';
import { ConsultCall } from './call.js';
import { minutes, momentThere } from './dates.js';
import { Hour, serverNow } from './hour.js';
import { explain, has, inTheOtherLanguage, t } from './language.js';
import { tidyLink } from './link.js';
import './preview.js';
import { withSeat } from './seat.js';
import { Waits, inWords } from './waits.js';
import { keepAwake, maySleep } from './window.js';

/** @import {Declined, Join} from '../../types/wire.js' */
/** @import {DevicePreview} from './preview.js' */

/** Loaded while somebody waits, by whom it is heard first. @param {'called'} name */
const chime = async (name) => (await import('./chime.js')).chime(name);

const PATIENCE_MS = 300;
/** Whoever came just before the end is told soon after it. */
const SOON_MS = 1_000;
/** What a later question may answer otherwise. */
const PASSING = new Set(['offline', 'timeout', 'rate_limited', 'try_again', 'internal']);

/** Where else somebody goes first. @type {Record<string, string>} */
const FIRST = { code_needed: 'code', consent_needed: 'consent', guardian_needed: 'consent' };

/** Messages after which the link goes to another browser, and those after which nothing here helps. */
const OPEN_ELSEWHERE = new Set(['in-app', 'outdated', 'lockdown', 'no-webrtc', 'switched-off']);
const FINAL = new Set(['insecure', 'link_invalid', 'late', 'early', 'ended']);

/** `<patient-page>`: check, wait, talk, goodbye, in one document. */
class PatientPage extends HTMLElement {
  /** @type {Join | null} */ #appointment = null;
  /** @type {Consult | null} */ #consult = null;
  #link = '';
  #called = false;
  /** Which version of the appointment the room was last seen to be about. */
  #plan = 0;
  /** Whether this visit came as far as the consult. */
  #talked = false;
  /** When the waiting room opens or, once it has, closes. */
  #hour = new Hour(() => this.#hourCame());

  connectedCallback() {
    this.call = slot(this, 'call', ConsultCall);
    this.preview = /** @type {DevicePreview} */ (this.querySelector('device-preview'));
    this.waits = new Waits(this.preview);
    slot(this, 'join').addEventListener('click', () => this.#enter());
    this.call.addEventListener('leave', () => this.#leave());
    this.call.addEventListener('again', () => this.#again());
    onAction(this, {
      sound: () => chime('called'),
      'stop-waiting': () => this.#leave(),
      return: () => this.#again(),
      withdraw: async () => {
        if (!this.#consult?.room) return; // what looks at links presses what is hidden too
        this.#drop();
        const code = await (await import('./withdrawing.js')).withdraw(this.#link);
        code ? this.#failed(code) : this.#goodbye('withdrawn');
      },
      reload: () => this.#open(),
      calendar: async () => (await import('./planned.js')).toCalendar(slot(this, 'planned'), this.#link),
      copy: async (button) => say(button, t((await copy(location.href)) ? 'link.copied' : 'link.copy.by-hand')),
    });
    slot(this, 'planned').addEventListener('submit', async (event) => {
      event.preventDefault();
      await (await import('./planned.js')).send(slot(this, 'planned'), event.target, this.#link);
    });
    document.addEventListener('visibilitychange', () => document.hidden || this.#hour.look());
    window.addEventListener('hashchange', () => location.reload());
    window.addEventListener('pagehide', () => {
      this.#consult?.close();
      this.preview?.capture.stop();
    });
    window.addEventListener('pageshow', (event) => event.persisted && location.reload());
    this.#open();
  }

  /** What the link opens decides which page this is. */
  async #open() {
    this.#hour.cancel();
    this.#view('opening');
    this.#link = tidyLink(location.hash.slice(1));
    // So that it is right when it is copied from the address bar, or kept as a bookmark.
    if (this.#link !== location.hash.slice(1)) history.replaceState(null, '', `#${this.#link}`);
    if (!this.#link) return this.#message('link_invalid');
    slot(document.body, 'rights', HTMLAnchorElement).hash = this.#link;
    try {
      this.#appointment = await join(this.#link);
    } catch (error) {
      const code = /** @type {{code?: string}} */ (error).code ?? 'internal';
      if (FIRST[code]) return this.#failed(code);
      if (code === 'link_invalid') return this.#over();
      return this.#message(has(`message.${code}.title`) ? code : 'try_again', { code });
    }
    if (inTheOtherLanguage(this.#appointment)) return;
    const { window: when, starts_at, opens_at, opens_in, closes_in, wish, guest, asks, questions } = this.#appointment;
    for (const button of this.querySelectorAll('[data-action="withdraw"]')) button.toggleAttribute('hidden', !asks);
    Object.assign(slot(this, 'questions', HTMLAnchorElement), { hidden: !questions, hash: this.#link });
    if (guest) (await import('./guest.js')).showGuest(this, guest);
    if (when === 'early') {
      const now = serverNow(this.#appointment);
      this.#message('early', { name: this.#name, when: momentThere(starts_at, now), opens: momentThere(opens_at, now) });
      this.#offer(wish);
      return this.#hour.set(opens_in);
    }
    this.#hour.set(closes_in, SOON_MS);
    const why = obstacle();
    if (why) return this.#message(why);
    this.#showCheck();
    if (storedResume()?.appointment === this.#appointment.appointment) await this.#enter();
  }

  /** What may be done with it before one comes. @param {import('../../types/wire.js').Wish | null | undefined} said */
  #offer(said) {
    slot(this, 'planned').hidden = false;
    say(slot(this, 'wish-said'), said ? t(`wish.${said}.said`) : null);
  }

  /** A link that opens nothing: whoever comes too late is told for what. */
  async #over() {
    const found = await (await import('./planned.js')).linked(this.#link).catch(() => null);
    if (!found) return this.#message('link_invalid');
    this.#message('late', { name: found.practitioner_name, when: momentThere(found.starts_at) });
  }

  /** By our count the waiting room opens, or closes; the server says whether it does. */
  async #hourCame() {
    if (this.#appointment?.window === 'early') return this.#open();
    if (this.#called) return;
    try {
      this.#appointment = await join(this.#link);
      this.#hour.set(this.#appointment.closes_in);
    } catch (error) {
      const { code = 'internal' } = /** @type {{code?: string}} */ (error);
      if (PASSING.has(code)) this.#hour.set(0);
      else if (this.#called) return;
      else if (FIRST[code]) this.#failed(code);
      else this.#inVain();
    }
  }

  #showCheck() {
    const { practitioner_name: name, starts_at, minutes: length } = /** @type {Join} */ (this.#appointment);
    slot(this, 'check-title').textContent = t('patient.check.title', { name });
    const now = serverNow(/** @type {Join} */ (this.#appointment));
    slot(this, 'when').textContent = `${momentThere(starts_at, now)}, ${minutes(length)}`;
    slot(this, 'wait-title').textContent = t('wait.title', { name });
    slot(this, 'join', HTMLButtonElement).disabled = false;
    this.#step('check');
    this.#offer(this.#appointment?.wish);
  }

  /** Nothing has to be pressed after this: permission, then the waiting room, then the consult. */
  async #enter() {
    const button = slot(this, 'join', HTMLButtonElement);
    button.disabled = true;
    const hint = window.setTimeout(() => say(slot(this, 'join-hint'), t('patient.join.asking')), PATIENCE_MS);
    await this.preview?.start();
    window.clearTimeout(hint);
    this.#follow(this.#newConsult());
    await this.#arrive();
    button.disabled = false;
    say(slot(this, 'join-hint'), t('patient.join.hint'));
  }

  async #arrive() {
    const consult = this.#consult;
    if (!consult) return;
    try {
      const seated = await withSeat(this, (takeOver) => consult.arrive({ takeOver }).then(() => true));
      if (seated) return;
      this.#drop();
      this.#message('elsewhere');
    } catch (error) {
      if (this.#consult !== consult) return;
      const { code = 'internal' } = /** @type {{code?: string}} */ (error);
      if (code !== 'too_early') return this.#failed(code);
      this.#drop();
      await this.#open();
    }
  }

  #newConsult() {
    const { appointment, role } = /** @type {Join} */ (this.#appointment);
    return new Consult({ role, appointment, token: async () => (await join(this.#link)).access_token });
  }

  /** @param {Consult} consult */
  #follow(consult) {
    this.#consult = consult;
    this.#called = false;
    this.#show(consult);
    consult.addEventListener('state', () => this.#consult === consult && this.#state(consult));
    consult.addEventListener('room', () => this.#planned(consult));
    this.waits?.follow(consult);
    consult.addEventListener('ended', (event) => {
      const { reason, declined } = /** @type {CustomEvent} */ (event).detail;
      if (this.#consult === consult && reason === 'left') this.#again(true);
      else if (this.#consult === consult) this.#goodbye(declined ? 'declined' : reason, declined);
    });
    consult.addEventListener('takenover', () => {
      if (this.#consult !== consult) return;
      this.#drop();
      this.#message('elsewhere');
    });
  }

  /** @param {Consult} consult */
  #show(consult) {
    this.call?.follow(consult, /** @type {DevicePreview} */ (this.preview).capture, this.#name, this.#ends);
  }

  /** @param {Consult} consult */
  #state(consult) {
    if (consult.state === 'waiting') this.#wait();
    else if (consult.state === 'failed' && !this.#called) this.#failedBefore(consult);
    else if (['connecting', 'connected', 'reconnecting'].includes(consult.state)) this.#talk();
  }

  /** It failed before the consult was on the screen: what is wrong with it stands there; all else is about this page. @param {Consult} consult */
  #failedBefore(consult) {
    const reason = consult.reason ?? 'internal';
    if (consult.room?.me.state === 'admitted' && has(`call.failed.${reason}`)) this.#talk();
    else this.#failed(reason);
  }

  /** Where it was corrected while somebody is here: say the new time, and count by it. @param {Consult} consult */
  async #planned(consult) {
    const plan = consult.room?.plan ?? 0;
    if (plan === this.#plan) return;
    this.#plan = plan;
    const found = await join(this.#link).catch(() => null);
    if (!found || this.#consult !== consult) return;
    const moved = found.starts_at !== this.#appointment?.starts_at;
    this.#appointment = found;
    this.call?.clock?.set(this.#name, 'patient', this.#ends);
    if (this.#called) return;
    this.#hour.set(found.closes_in);
    if (moved) this.waits?.moved(found, momentThere(found.starts_at, serverNow(found)));
  }

  #wait() {
    if (this.#called) {
      this.call?.end(false);
      this.#show(/** @type {Consult} */ (this.#consult));
      this.#hour.set(0);
    }
    this.#called = false;
    this.preview?.resume();
    this.#step('wait');
    this.waits?.open(this.#link, /** @type {Join} */ (this.#appointment));
    document.title = `${t('wait.state')} – ${t('brand')}`;
    void import('./chime.js').catch(() => {});
    keepAwake();
  }

  #talk() {
    if (this.#called) return;
    this.#called = this.#talked = true;
    this.#hour.cancel();
    chime('called');
    navigator.vibrate?.([200, 100, 200]);
    this.#view(null);
    this.#progress('talk');
    this.preview?.suspend();
    this.call?.open();
  }

  /** Nobody came: give up the place and say so. */
  #inVain() {
    const consult = this.#consult;
    // Not dropped with the rest: the server is to hear it before the line is closed.
    this.#consult = null;
    consult?.leave().catch(() => {});
    this.#drop();
    const appointment = /** @type {Join} */ (this.#appointment);
    this.#message('late', { name: this.#name, when: momentThere(appointment.starts_at, serverNow(appointment)) });
  }

  get #ends() {
    const { starts_at, minutes: length } = /** @type {Join} */ (this.#appointment);
    return new Date(Date.parse(starts_at) + length * 60_000);
  }

  get #name() {
    return /** @type {Join} */ (this.#appointment).practitioner_name;
  }

  async #leave() {
    const consult = this.#consult;
    this.#consult = null;
    const left = consult?.leave();
    // Who left comes back by a press, not by loading the page anew before the server has answered.
    forgetResume();
    this.#goodbye('left');
    await left?.catch(() => {});
  }

  /** Come again, by the same link; of who waited it leads to another now, and they go on waiting. @param {boolean} [waited] */
  async #again(waited) {
    this.#drop();
    this.call?.end(false);
    await this.#open();
    if (waited && slot(this, 'join').offsetParent) await this.#enter();
  }

  /** @param {string} reason @param {Declined} [declined] */
  #goodbye(reason, declined) {
    this.#drop();
    this.call?.end(true);
    this.#view(null);
    this.#progress('goodbye');
    const key = reason === 'left' && !this.#talked ? 'bye.lead.left.waiting' : `bye.lead.${reason}`;
    slot(this, 'bye-lead').textContent = (declined && inWords(declined)) || t(has(key) ? key : 'bye.lead.ended', { name: this.#name });
    for (const element of this.querySelectorAll('[data-after]')) {
      if (element instanceof HTMLElement) element.hidden = (element.dataset.after === 'talk') !== this.#talked;
    }
    const title = `bye.title.${reason}`;
    slot(this, 'bye-title').textContent = t(has(title) ? title : 'bye.title');
    /** @type {HTMLElement} */ (this.querySelector('[data-action="return"]')).hidden = reason !== 'left' && !declined;
    slot(this, 'bye-close').textContent = t(reason === 'ended' ? 'bye.close.ended' : 'bye.close', { name: this.#name });
    document.title = `${t('bye.title')} – ${t('brand')}`;
    slot(this, 'bye-title').focus();
  }

  /** @param {string} code */
  #failed(code) {
    this.#drop();
    if (FIRST[code]) return location.replace(`/c/${FIRST[code]}#${this.#link}`);
    this.#message(has(`message.${code}.title`) ? code : 'try_again', { code });
  }

  /** Let go of the consult and of all devices. */
  #drop() {
    const consult = this.#consult;
    this.#consult = null;
    this.#called = false;
    this.#hour.cancel();
    consult?.close();
    this.preview?.suspend();
    this.preview?.capture.stop();
    maySleep();
  }

  /**
   * One plain page: what happened, what it means, what to do.
   * @param {string} name
   * @param {Record<string, string>} [values]
   */
  #message(name, values = {}) {
    this.call?.end(false);
    slot(this, 'message-title').textContent = t(`message.${name}.title`);
    slot(this, 'message-text').textContent = values.code?.startsWith('room_') ? explain(values) : t(`message.${name}.text`, values);
    say(slot(this, 'message-remedy'), has(`message.${name}.remedy`) ? t(`message.${name}.remedy`, values) : null);
    say(slot(this, 'message-code'), values.code && name === 'try_again' ? t('message.code', { code: values.code }) : null);
    const which = OPEN_ELSEWHERE.has(name) ? 'copy' : FINAL.has(name) ? null : 'reload';
    const words = t(which === 'copy' ? 'link.copy' : name === 'elsewhere' ? 'message.here' : 'message.again');
    const button = el('button', { className: 'button primary', type: 'button', 'data-action': which, textContent: words });
    slot(this, 'message-actions').replaceChildren(...(which ? [button] : []));
    this.#view('message');
    document.title = `${t(`message.${name}.title`)} – ${t('brand')}`;
    slot(this, 'message-title').focus();
    if (name === 'ended' || name === 'link_invalid') forgetResume();
  }

  /** @param {'check' | 'wait'} step */
  #step(step) {
    for (const element of this.querySelectorAll('[data-step]')) {
      if (element instanceof HTMLElement) element.hidden = element.dataset.step !== step;
    }
    this.#view('arrival');
    this.#progress(step);
    slot(this, `${step}-title`).focus({ preventScroll: true });
  }

  /** @param {'opening' | 'message' | 'arrival' | null} view */
  #view(view) {
    slot(this, 'planned').hidden = true;
    for (const element of this.querySelectorAll('[data-view]')) {
      if (element instanceof HTMLElement) element.hidden = element.dataset.view !== view;
    }
    window.scrollTo(0, 0);
  }

  /** @param {string} step */
  #progress(step) {
    for (const element of this.querySelectorAll('[data-progress]')) {
      if (!(element instanceof HTMLElement)) continue;
      if (element.dataset.progress === step) element.setAttribute('aria-current', 'step');
      else element.removeAttribute('aria-current');
    }
  }
}

customElements.define('patient-page', PatientPage);
