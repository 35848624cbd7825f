import { Consult } from '../client/consult.js';
import { Desk } from '../client/desk.js';
import { deskTicket, me, signOut, whenSignedOut } from '../client/rest.js';
import { forgetResume, storedResume } from '../client/resume.js';
import { Signaling } from '../client/signaling.js';
import { SignInAgain } from './again.js';
import { Agenda } from './agenda.js';
import { Announcing } from './announcing.js';
import { obstacle } from './browsers.js';
import { onAction, say, slot } from './build.js';
import { ConsultCall } from './call.js';
import { hasRoom, inside, showCallers, sorted } from './callers.js';
import { Capture } from './capture.js';
import { dayOf, fullDay, moment } from './dates.js';
import { Ending } from './ending.js';
import { GuestsDialog, guestOf } from './guests.js';
import { Handout } from './handout.js';
import { explain, plural, t } from './language.js';
import { leave } from './leaving.js';
import { install, uninstall } from './installed.js';
import { PushSwitch, renew } from './push.js';
import { RetentionDialog } from './retention.js';
import { Sentences } from './sentences.js';
import { TechnicalDialog } from './technical.js';
import { withSeat } from './seat.js';
import { WaitingRoom } from './waiting.js';

/** @import {Me, DeskView, WaitingView} from '../../types/wire.js' */

const OFFLINE_AFTER_MS = 1500;
const TICK_MS = 60_000;
const TOLD_MS = 5000;

/** `<desk-page>`: today, who waits, and the consult itself, in one document so that admitting loads nothing. */
class DeskPage extends HTMLElement {
  #capture = new Capture();
  /** @type {Consult | null} */ #consult = null;
  /** Made ready for whoever waits. @type {Consult | null} */ #next = null;
  /** @type {string | null} */ #inConsult = null;
  /** The consult that ended last. */ #before = '';
  /** Of a consult that was left, while the server may not know it yet. @type {AbortController | null} */ #leaving = null;
  /** @type {number | undefined} */ #offline;

  async connectedCallback() {
    this.call = slot(this, 'call', ConsultCall);
    const technical = new TechnicalDialog(slot(this, 'technical-check', HTMLDialogElement));
    const handout = new Handout(slot(this, 'handout', HTMLDialogElement));
    const guests = (this.guests = new GuestsDialog(slot(this, 'guests', HTMLDialogElement), (one) => this.day?.put(one)));
    this.agenda = new Agenda(this, {
      said: (words) => say(slot(this, 'said'), words),
      technical: (one) => technical.open(one),
      handOut: (one) => handout.open(one),
      guests: (one) => guests.open(one),
      running: () => this.#inConsult,
      reopened: () => this.call?.end(false),
    });
    this.day = this.agenda.day;
    this.waiting = new WaitingRoom(this, {
      names: (who) => this.#name(who),
      roles: ({ appointment, guest }) => this.day?.role(appointment, guest) ?? null,
      admit: (who) => this.#admit(who),
      tell: (who, message) => this.#fresh().tell(who.participant, message, { appointment: who.appointment }),
      write: async (who, text) => this.desk?.write(who, text),
      decline: async (who, words) => this.desk?.decline(who, words),
    });
    this.announcing = new Announcing(slot(this, 'announce', HTMLFormElement), async (...said) => this.desk?.announce(...said));
    this.#listen();
    try {
      const person = await me();
      if (person.assists) location.replace('/served');
      else this.#signedIn(person);
    } catch (error) {
      if (['unauthenticated', 'token_invalid'].includes(/** @type {{code: string}} */ (error).code)) location.replace('/signin');
      else say(slot(this, 'unsupported'), explain(error));
    }
  }

  /** @param {Me} person */
  #signedIn(person) {
    this.again = new SignInAgain(slot(this, 'again', HTMLDialogElement), person);
    whenSignedOut(() => this.#askAgain());
    slot(this, 'who').textContent = person.display_name;
    this.agenda?.new.tells(person);
    this.guests?.tells(person);
    this.retention = new RetentionDialog(slot(this, 'retention', HTMLDialogElement), person, () => this.#kept(person));
    this.ending = new Ending(slot(this, 'account', HTMLDialogElement), () => this.#reload());
    this.sentences = new Sentences(slot(this, 'sentences', HTMLFormElement));
    this.#kept(person);
    const by = person.second_factor_by;
    this.#seen(person);
    slot(this, 'factor').hidden = !by;
    if (by) slot(this, 'factor-words').textContent = t('desk.factor', { date: fullDay(dayOf(new Date(by))) });
    for (const button of this.querySelectorAll('button[disabled]')) button.removeAttribute('disabled');
    this.#watch();
    const why = obstacle();
    if (why) say(slot(this, 'unsupported'), t(`desk.obstacle.${why}`));
    const before = storedResume();
    install().then(renew).catch(() => {}); // A desk without it is a desk.
    this.push = new PushSwitch(slot(this, 'push'));
    this.#reload().then(() => before?.role === 'practitioner' && this.#return(before.appointment));
  }

  #account() {
    this.ending?.open();
    this.sentences?.open();
    this.push?.open().catch(() => {});
  }

  /** The setting is known, or is another one. @param {Me} person */
  #kept(person) {
    if (this.day) this.day.retention.value = person.retention;
    this.#reload();
  }

  #listen() {
    onAction(this, {
      new: () => this.agenda?.new.open(this.day?.shown),
      now: () => this.agenda?.new.begin(),
      previous: () => this.agenda?.move(-1),
      next: () => this.agenda?.move(1),
      today: () => this.agenda?.move(0),
      retention: () => this.retention?.open(),
      account: () => this.#account(),
      'sign-out': () => this.#signOut(),
      return: () => this.#inConsult && this.#return(this.#inConsult),
      dismiss: () => this.call?.end(false),
      reopen: () => this.agenda?.reopen(this.#before),
      show: (button) => this.day?.show(button.dataset.show ?? ''),
      undo: () => this.agenda?.undo.take(),
    });
    this.call?.addEventListener('leave', () => this.#leave());
    this.call?.addEventListener('again', () => this.#again());
    this.call?.addEventListener('put-back', () => this.#putBack());
    window.setInterval(() => this.day?.tick().catch(() => {}), TICK_MS);
    window.addEventListener('pagehide', () => {
      this.#consult?.close();
      this.#capture.stop();
    });
    window.addEventListener('pageshow', (event) => event.persisted && location.reload());
  }

  /** @returns {Promise<boolean>} whether somebody is signed in again */
  async #askAgain() {
    const signedIn = (await this.again?.ask()) === true;
    if (signedIn) this.signaling?.renew();
    return signedIn;
  }

  /** The ticket of the consult that runs here: it goes on, whatever became of the session. */
  get #resume() {
    const stored = storedResume();
    return this.#consult && stored?.role === 'practitioner' && stored.appointment === this.#consult.appointment ? stored.ticket : null;
  }

  #watch() {
    this.signaling = new Signaling({
      token: async () => (await deskTicket()).access_token,
      resume: () => this.#resume,
      resumeRefused: forgetResume,
      signIn: async () => this.again?.wait(),
    });
    this.signaling.addEventListener('open', () => this.#online(true));
    this.signaling.addEventListener('close', () => this.#online(false));
    this.signaling.addEventListener('refused', () => this.#consult ?? location.replace('/signin'));
    this.desk = new Desk(this.signaling);
    this.desk.addEventListener('desk', (event) => this.#show(/** @type {CustomEvent} */ (event).detail));
    this.desk.addEventListener('agenda', () => this.#reload());
    this.desk.addEventListener('sight', () => me().then((person) => this.#seen(person), () => {}));
    this.desk.watch().catch(() => this.#online(false));
  }

  /** @param {boolean} online */
  #online(online) {
    window.clearTimeout(this.#offline);
    if (online) slot(this, 'offline').hidden = true;
    else this.#offline = window.setTimeout(() => (slot(this, 'offline').hidden = false), OFFLINE_AFTER_MS);
  }

  /** Whether somebody had sight of this agenda: it is said until its practitioner says to know. @param {Me} person */
  #seen(person) {
    slot(this, 'sight').hidden = !person.sights_unseen;
  }

  /** @param {DeskView} view */
  #show(view) {
    const { day, waiting } = this;
    if (!day || !waiting) return;
    this.#inConsult = view.in_consult;
    day.see(view);
    this.announcing?.show(view.announced);
    waiting.quiet = this.#consult !== null;
    const { anew, callers, elsewhere: others } = sorted(view.waiting, this.#consult);
    waiting.show({ ...view, waiting: others });
    this.call?.newcomer(anew ? () => this.#beside(anew) : null, anew?.held);
    showCallers(slot(this, 'callers'), callers, {
      free: hasRoom(this.#consult),
      names: (who) => this.#name(who),
      admit: (who) => this.#beside(who),
    });
    if (view.waiting.some((one) => !day.known.value.has(one.appointment))) this.#reload();
    const [next] = view.waiting;
    if (next && !this.#consult) this.#prepare(next);
    slot(this, 'running').hidden = !view.in_consult || this.#consult !== null;
    this.call?.badge(others.length ? plural('waiting.title.count', others.length) : null);
    this.#title();
  }

  #title() {
    if (this.#consult) return;
    const waiting = this.waiting?.title;
    document.title = waiting ? `${waiting} – ${t('brand')}` : `${t('desk.title')} – ${t('brand')}`;
  }

  /** Make keys and offer ready while somebody waits, so that admitting is fast. @param {WaitingView} next */
  #prepare({ appointment }) {
    const guests = this.day?.known.value.get(appointment)?.guests ?? [];
    if (!obstacle()) this.#fresh().prepare(2 + guests.length);
  }

  /** The consult to come; none is running. */
  #fresh() {
    this.#next ??= new Consult({ role: 'practitioner', signaling: this.signaling });
    return this.#next;
  }

  /** @param {WaitingView} who */
  #admit(who) {
    this.#enter(who.appointment, this.#name(who), (consult, takeOver) =>
      consult.admit(who.participant, { appointment: who.appointment, takeOver }),
    );
  }

  /** @param {WaitingView} who */
  #name({ appointment, guest }) {
    return this.day?.name(appointment, guest) ?? '';
  }

  /** Into the consult that runs: somebody else, or another window of who is in, in that one's place. @param {WaitingView} who */
  #beside(who) {
    this.#consult?.admit(who.participant, { appointment: who.appointment }).catch((error) => this.#said(explain(error)));
  }

  /** Whoever is in with us waits again: this consult goes on without them. */
  async #putBack() {
    for (const { participant } of inside(this.#consult)) await this.desk?.putBack(participant).catch((error) => this.#said(explain(error)));
  }

  /** Back into a consult that runs. @param {string} appointment */
  #return(appointment) {
    this.#enter(appointment, this.day?.name(appointment) ?? '', (consult, takeOver) => consult.arrive({ appointment, takeOver }));
  }

  /**
   * @param {string} appointment @param {string} name of who is called in
   * @param {(consult: Consult, takeOver: boolean) => Promise<unknown>} act
   */
  async #enter(appointment, name, act) {
    if (this.#consult || !this.call || !this.day) return;
    const consult = this.#fresh();
    this.#leaving?.abort();
    this.#next = null;
    this.#consult = consult;
    this.again?.consult(true);
    if (this.waiting) this.waiting.quiet = true;
    this.#follow(consult, appointment);
    // The request goes before all drawing: the other person waits for it.
    const entered = withSeat(this, (takeOver) => act(consult, takeOver).then(() => true));
    this.call.end(false);
    this.call.names = ({ guest }) => ({
      name: this.day?.name(appointment, guest) ?? name,
      role: guestOf(this.day?.known.value.get(appointment), guest)?.role ?? null,
    });
    this.call.follow(consult, this.#capture, name, this.day.ends(appointment));
    this.call.dataset.state = 'connecting';
    this.call.open();
    this.#capture.start();
    try {
      if (!(await entered)) this.#out(false);
    } catch (error) {
      this.#out(false);
      this.#said(explain(error));
    }
  }

  /** @param {Consult} consult @param {string} appointment */
  #follow(consult, appointment) {
    consult.addEventListener('room', () => this.#consult === consult && this.#meets(consult));
    consult.addEventListener('ended', (event) => {
      if (this.#consult === consult) this.#ended(appointment, /** @type {CustomEvent} */ (event).detail.reason);
    });
    consult.addEventListener('takenover', () => {
      if (this.#consult !== consult) return;
      this.#out(false);
      this.#said(t('desk.takenover'));
    });
  }

  /** Whom it is with may be another than before. @param {Consult} consult */
  #meets(consult) {
    const [other] = inside(consult);
    const name = other && this.day?.name(consult.appointment ?? '', other.guest);
    if (name && this.call && name !== this.call.other) {
      this.call.other = name;
      slot(this.call, 'clock-name').textContent = name;
    }
    if (this.desk?.view) this.#show(this.desk.view);
  }

  async #leave() {
    const { signaling } = this;
    const consult = this.#consult;
    const appointment = consult?.appointment ?? this.#inConsult ?? '';
    this.#consult = null;
    this.#leaving = new AbortController();
    // Where a colleague leads it too, it goes on.
    const goesOn = inside(consult).some(({ host }) => host);
    await this.#ended(appointment, goesOn ? 'left' : 'ended', consult && signaling && leave(consult, signaling, this.#leaving.signal));
  }

  /** Connect anew to the consult that failed. */
  #again() {
    const appointment = this.#consult?.appointment ?? this.#inConsult;
    this.#out(false);
    if (appointment) this.#return(appointment);
  }

  /** @param {string} appointment @param {string} reason @param {Promise<void> | null} [told] when the server knows it */
  async #ended(appointment, reason, told) {
    const name = this.day?.name(appointment) ?? '';
    this.#before = appointment;
    this.#out(reason === 'ended' || reason === 'cancelled' || reason === 'expired');
    slot(this, 'bye-title').textContent = t('desk.ended', { name });
    slot(this, 'bye-lead').textContent = '';
    const reopen = /** @type {HTMLElement} */ (this.querySelector('[data-action="reopen"]'));
    reopen.hidden = true;
    if (!(await within(told, TOLD_MS))) {
      slot(this, 'bye-title').textContent = t('desk.untold', { name });
      slot(this, 'bye-lead').textContent = t('desk.untold.hint', { name });
      this.#reload();
      const late = await Promise.resolve(told).then(() => true, () => false);
      if (this.#before !== appointment || this.#consult) return;
      slot(this, 'bye-lead').textContent = '';
      if (!late) return;
      slot(this, 'bye-title').textContent = t('desk.ended', { name });
    }
    await this.#reload();
    const { destroyed_at: fate, reopens } = this.day?.known.value.get(appointment) ?? {};
    reopen.hidden = !reopens;
    if (fate) slot(this, 'bye-lead').textContent = t('desk.ended.destroyed', { when: moment(fate) });
  }

  /** Out of the consult and back at the desk. @param {boolean} after whether to say that it ended */
  #out(after) {
    const consult = this.#consult;
    this.#consult = null;
    this.again?.consult(false);
    consult?.close();
    this.#capture.stop();
    this.#capture.off = { microphone: false, camera: false };
    this.call?.end(after);
    if (this.desk?.view) this.#show(this.desk.view);
    slot(this, 'desk-heading').focus();
    this.#title();
  }

  async #reload() {
    await this.agenda?.reload();
  }

  /** @param {string} words */
  #said(words) {
    say(slot(this, 'said'), words);
    this.#reload();
  }

  async #signOut() {
    await uninstall().catch(() => {});
    await signOut().catch(() => {});
    location.replace('/signin');
  }
}

/**
 * Whether it was done in time.
 * @param {Promise<void> | null | undefined} work @param {number} milliseconds
 */
function within(work, milliseconds) {
  const late = new Promise((resolve) => setTimeout(() => resolve(false), milliseconds));
  return Promise.race([Promise.resolve(work).then(() => true, () => false), late]);
}

customElements.define('desk-page', DeskPage);
