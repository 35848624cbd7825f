/** One presence in one consult, without a user interface. Calls, properties and events: README.md beside this file. */

import { random, toBase64Url } from './bytes.js';
import { Conversation } from './conversation.js';
import { WireError } from './errors.js';
import { OwnIndicators, OwnWord } from './indicators.js';
import { forgetResume, storeResume, ticketOf } from './resume.js';
import { Signaling } from './signaling.js';
import { Standing } from './standing.js';
import { forgetTally } from './tally.js';

/** @import {ChatEntry} from './chat.js' */
/** @import {Group} from './group.js' */
/** @import {Change} from './tally.js' */
/** @import {Check, Declined, HoldMessage, Indicators, Role, RoomView, SlotView, Source} from './wire.js' */
/** @typedef {'idle' | 'waiting' | 'connecting' | 'connected' | 'reconnecting' | 'failed' | 'ended'} State */

const RETURN_RETRY_MS = 1_000;
/** What a page draws when a consult begins holds up the thread that keys and offer need; so they go first. */
const HEAD_START_MS = 20;
const OVER = new Set(['ended', 'gone', 'not_found', 'link_invalid']);
const FORWARDED = ['code', 'tracks', 'chat', 'quality', 'audioflow', 'pictureflow', 'unencrypted', 'group'];

/**
 * @typedef {object} ConsultOptions
 * @property {Role} role
 * @property {string} [appointment] may also come with `arrive` or `admit`
 * @property {() => Promise<string>} [token] a fresh access token; or else:
 * @property {Signaling} [signaling] shared with the desk of the same page
 * @property {string | URL} [workerUrl] of the encryption worker
 */

export class Consult extends EventTarget {
  participant = toBase64Url(random(16));
  /** @type {RoomView | null} */
  room = null;
  /** What consults of more than two have, from the event `group` on. @type {Group | null} */
  group = null;
  /** @type {State} */
  state = 'idle';
  /** @type {string | null} */
  reason = null;

  #role;
  #appointment;
  #workerUrl;
  #signaling;
  #ownsSignaling;
  /** @type {Conversation | null} */
  #conversation = null;
  /** @type {Record<Source, MediaStreamTrack | null>} */
  #devices = { microphone: null, camera: null, screen: null };
  #indicators;
  #check;
  /** @type {(() => void)[]} */
  #stops = [];
  #present = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #headStart;
  #standing = new Standing();
  /** @type {string | null} */
  #fatal = null;

  /** @param {ConsultOptions} options */
  constructor({ role, appointment, token, signaling, workerUrl }) {
    super();
    this.#role = role;
    this.#appointment = appointment ?? null;
    this.#workerUrl = workerUrl;
    this.#ownsSignaling = signaling === undefined;
    this.#signaling = signaling ?? this.#ownSignaling(token);
    this.#indicators = new OwnIndicators(this.#signaling);
    this.#check = new OwnWord(this.#signaling, 'check', /** @type {Check | null} */ (null));
    this.#listen();
  }

  get role() {
    return this.#role;
  }

  get appointment() {
    return this.#appointment;
  }

  get signaling() {
    return this.#signaling;
  }

  /** @returns {string | null} */
  get code() {
    return this.#conversation?.comparison.code ?? null;
  }

  /** How many are to hold the keys, oneself included. */
  get people() {
    return this.#conversation?.people ?? 1;
  }

  /** Why the digits have to be compared again. @returns {Change | null} */
  get again() {
    return this.#conversation?.comparison.again ?? null;
  }

  /** Whether keys came to nothing so often that both people have to be told. */
  get withheld() {
    return this.#conversation?.comparison.withheld ?? false;
  }

  /** The person says to have compared the digits. */
  compared() {
    this.#conversation?.compared();
  }

  /** Whether it failed for good: nothing but a new Consult helps. */
  get hopeless() {
    return this.#fatal !== null;
  }

  /** @returns {ChatEntry[]} */
  get chatLog() {
    return this.#conversation?.chatLog ?? [];
  }

  /** @returns {SlotView[]} */
  get slots() {
    return this.#conversation?.slots ?? [];
  }

  /** Load `group`, also where there are two. @returns {Promise<Group | null>} null outside a consult */
  async gather() {
    return this.#conversation?.gather() ?? null;
  }

  /** Load the encryption worker, make keys and a peer connection, so that entering costs only the network. @param {number} [people] that may be in */
  prepare(people = this.room?.capacity ?? 2) {
    if (this.state === 'ended') throw new WireError('bad_state', 'protocol', 'This presence has ended; make a new Consult.');
    if (!this.#conversation) this.#converse();
    this.#conversation?.prepare(people);
  }

  /** @param {{takeOver?: boolean, appointment?: string}} [options] @returns {Promise<RoomView>} @throws {WireError} */
  arrive({ takeOver = false, appointment } = {}) {
    return this.#enter(appointment, 'arrive', { participant: this.participant, take_over: takeOver });
  }

  /**
   * @param {string} participant who is called in
   * @param {{takeOver?: boolean, appointment?: string}} [options]
   * @returns {Promise<RoomView>}
   * @throws {WireError}
   */
  admit(participant, { takeOver = false, appointment } = {}) {
    return this.#enter(appointment, 'admit', { participant, me: this.participant, take_over: takeOver });
  }

  /** @param {string} participant @param {HoldMessage} message @param {{appointment?: string}} [options] */
  async tell(participant, message, { appointment = this.#appointment ?? '' } = {}) {
    await this.#signaling.request('tell', { appointment, participant, message });
  }

  /** @param {MediaStreamTrack | null} track */
  setMicrophone(track) {
    return this.#setDevice('microphone', track);
  }

  /** @param {MediaStreamTrack | null} track */
  setCamera(track) {
    return this.#setDevice('camera', track);
  }

  /** @param {MediaStreamTrack | null} track */
  setScreen(track) {
    return this.#setDevice('screen', track);
  }

  /** @param {Partial<Indicators>} indicators */
  indicate(indicators) {
    this.#indicators.set(indicators);
  }

  /** How the devices of whoever waits are; for the desk, until they are called in. @param {Check} found */
  check(found) {
    this.#check.set(found);
  }

  /** To the desk, while waiting; at most 500 characters. @param {string} text @throws {WireError} */
  async say(text) {
    await this.#signaling.request('say', { text });
  }

  /** @param {string} text @returns {Promise<void>} @throws {WireError} */
  async sendChat(text) {
    if (!this.#conversation) throw new WireError('bad_state', 'user', 'Nobody else has the keys yet.');
    await this.#conversation.sendChat(text);
  }

  /** Give up the place; as the practitioner, end the consult for all. @throws {WireError} if the server was not told */
  async leave() {
    try {
      if (this.#present) await this.#signaling.request('leave');
    } catch (error) {
      if (!(error instanceof WireError && OVER.has(error.code))) throw error;
    } finally {
      this.#end('left');
    }
  }

  /** Let go of everything without a word. */
  close() {
    this.#present = false;
    clearTimeout(this.#headStart);
    this.#headStart = undefined;
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#indicators.close();
    this.#check.close();
    this.#conversation?.close();
    this.#conversation = null;
    if (this.#ownsSignaling) this.#signaling.close();
  }

  /** @param {ConsultOptions['token']} token */
  #ownSignaling(token) {
    if (token === undefined) throw new TypeError('a Consult needs a token or a signaling connection');
    return new Signaling({ token, resume: () => ticketOf(this.#appointment, this.#role), resumeRefused: forgetResume });
  }

  #listen() {
    const signaling = this.#signaling;
    /** @type {[string, (detail: any) => void][]} */
    const own = [
      ['open', () => this.#return()],
      ['close', () => this.#settle()],
      ['gap', () => this.#catchUp()],
      ['refused', ({ code }) => (this.#present && OVER.has(code) ? this.#end('expired') : this.#fail(code))],
    ];
    for (const [type, handle] of own) {
      const listener = (/** @type {Event} */ event) => handle(event instanceof CustomEvent ? event.detail : undefined);
      signaling.addEventListener(type, listener);
      this.#stops.push(() => signaling.removeEventListener(type, listener));
    }
    this.#stops.push(
      signaling.on('room', (view) => this.#onRoom(view)),
      signaling.on('told', ({ message }) => this.#emit('told', { message })),
      signaling.on('announced', (said) => this.#emit('announced', said)),
      signaling.on('ended', ({ reason, declined }) => this.#present && this.#end(reason, declined)),
      signaling.on('taken-over', () => this.#present && this.#over('takenover', {})),
    );
  }

  #converse() {
    const me = { participant: this.participant, role: this.#role };
    const conversation = new Conversation(this.#signaling, me, this.#workerUrl);
    this.#conversation = conversation;
    conversation.addEventListener('change', () => this.#settle());
    conversation.addEventListener('tampering', () => this.#fail('tampering'));
    conversation.addEventListener('broken', () => this.#fail('media'));
    conversation.addEventListener('group', () => (this.group = conversation.group));
    for (const type of FORWARDED) {
      conversation.addEventListener(type, (event) => this.#emit(type, /** @type {CustomEvent} */ (event).detail));
    }
    conversation.addEventListener('unencrypted', (event) => {
      const { source } = /** @type {CustomEvent<{source: Source}>} */ (event).detail;
      this.#devices[source] = null;
      this.indicate({ [source]: false });
    });
    for (const [source, track] of Object.entries(this.#devices)) {
      conversation.setTrack(/** @type {Source} */ (source), track).catch(() => undefined);
    }
  }

  /** @param {string | undefined} appointment @param {'arrive' | 'admit'} event @param {object} body */
  async #enter(appointment, event, body) {
    this.#appointment = appointment ?? this.#appointment;
    if (this.#appointment === null) throw new TypeError('a consult needs an appointment');
    if (!this.#conversation) this.prepare();
    const view = await this.#signaling.request(event, { appointment: this.#appointment, ...body });
    this.#present = true;
    this.#entered(view);
    while (this.#headStart !== undefined) await new Promise((resolve) => setTimeout(resolve, HEAD_START_MS));
    return view;
  }

  /** @param {RoomView} view */
  #entered(view) {
    this.#onRoom(view);
    this.#indicators.entered(view.me.indicators);
    if (view.me.state === 'waiting') this.#check.entered({});
  }

  /** The connection is there again: enter the room again, as the same participant. */
  async #return() {
    if (!this.#present) return;
    try {
      const { seen } = this.#signaling;
      const body = { appointment: this.#appointment, participant: this.participant, take_over: false };
      const view = await this.#signaling.request('arrive', seen === null ? body : { ...body, seen });
      this.#entered(view);
      this.#conversation?.reconnected();
      this.#settle();
    } catch (error) {
      if (!this.#present || !(error instanceof WireError) || error.code === 'offline') return;
      if (error.code === 'seat_taken') this.#over('takenover', {});
      else if (OVER.has(error.code)) this.#end('expired');
      else setTimeout(() => this.#signaling.connected && this.#return(), RETURN_RETRY_MS);
    }
  }

  /** Something that was sent while we were away is gone: look where the room is, and make keys anew if theirs were in it. */
  async #catchUp() {
    if (!this.#present) return;
    try {
      this.#onRoom(await this.#signaling.request('snapshot'));
      this.#conversation?.missed();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }

  /** @param {RoomView} view */
  #onRoom(view) {
    const foreign = view.appointment !== this.#appointment || view.me.participant !== this.participant;
    if (foreign || this.state === 'ended') return;
    if (this.room && view.version <= this.room.version) return;
    this.#present = true;
    this.room = view;
    storeResume({ appointment: view.appointment, role: this.#role, ticket: view.resume });
    const begins = view.media !== null && this.#conversation?.mediaState === 'new';
    if (begins) this.#headStart ??= setTimeout(() => this.#announce(), HEAD_START_MS);
    this.#conversation?.update(view);
    if (this.#headStart === undefined) this.#announce();
  }

  #announce() {
    this.#headStart = undefined;
    if (this.room === null || this.state === 'ended') return;
    this.#emit('room', this.room);
    this.#settle();
  }

  /** @param {Source} source @param {MediaStreamTrack | null} track */
  async #setDevice(source, track) {
    this.#devices[source] = track;
    this.indicate({ [source]: track !== null && track.enabled });
    // A device that was pulled out ends its track by itself; `stop()` does not fire this event.
    const lost = () => this.#devices[source] === track && this.#conversation?.report('device-lost');
    if (source !== 'screen') track?.addEventListener('ended', lost, { once: true });
    await this.#conversation?.setTrack(source, track);
  }

  /** @param {string} reason */
  #fail(reason) {
    this.#fatal = reason;
    this.#conversation?.report('failed');
    this.#settle();
  }

  /** @param {string} reason @param {Declined} [declined] */
  #end(reason, declined) {
    if (this.state !== 'ended') this.#over('ended', { reason, declined });
  }

  /** @param {'ended' | 'takenover'} type @param {object} detail */
  #over(type, detail) {
    forgetResume();
    this.#setState('ended', null);
    this.close();
    forgetTally();
    this.#emit(type, detail);
  }

  /** Work out the state anew from what is known. */
  #settle() {
    if (this.state === 'ended' || this.#headStart !== undefined) return;
    const mediaFailed = this.#conversation?.mediaState === 'failed';
    const outdated = this.#conversation?.outdated ? 'outdated' : null;
    if (this.#fatal !== null || outdated !== null || (mediaFailed && this.room?.me.state === 'admitted')) {
      this.#setState('failed', this.#fatal ?? outdated ?? 'media');
    } else if (this.room) {
      const { state, reason } = this.#standing.judge(this.room, this.#signaling.connected, this.#conversation);
      this.#setState(state, reason);
    }
  }

  /** @param {State} state @param {string | null} reason */
  #setState(state, reason) {
    if (state === this.state && reason === this.reason) return;
    const before = this.state;
    this.state = state;
    this.reason = reason;
    if (state !== before && (state === 'connected' || state === 'reconnecting')) this.#conversation?.report(state);
    this.#emit('state', { state, reason });
  }

  /** @param {string} type @param {unknown} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
