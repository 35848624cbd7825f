/** What a consult of more than two has beside keys, media and chat; loaded by those alone. */

import { Hearing } from './hearing.js';
import { OwnWord } from './indicators.js';
import { STAGE } from './media.js';
import { Sizes } from './sizes.js';

/** @import {Chat} from './chat.js' */
/** @import {Wire} from './key-exchange.js' */
/** @import {MediaSession} from './media-session.js' */
/** @import {RoomView, SlotSize} from './wire.js' */
/** @typedef {{slot: number, participant: string, stream: MediaStream, paused: boolean}} Seat `paused`: no picture for want of bandwidth */
/**
 * @typedef {object} Shown how large a picture is on this page
 * @property {string} participant
 * @property {boolean} [stage] the screen that they share
 * @property {number} height device pixels; 0: not to be seen, and so not to be sent
 * @property {boolean} [pinned]
 */

/** @typedef {{guest: string, name: string, role: string}} Introduced a guest, as their appointment has them */

const MOST_INTRODUCED = 32;
const MOST_LETTERS = 200;

/** Events: `change` when `seats`, `speaking` or `introduced` changed. */
export class Group extends EventTarget {
  /** Who the guests are, by the practitioner's page, which alone knows it. @type {Map<string, Introduced>} */
  introduced = new Map();
  /** Who speaks now, as each of them says. @type {Set<string>} */
  speaking = new Set();

  #wire;
  #media;
  #chat;
  #inTouch;
  #sizes;
  #speech;
  #hearing;
  #stops;
  /** @type {Shown[]} */
  #shown = [];
  /** @type {Set<string>} */
  #people = new Set();
  #listening = false;
  /** @type {object | null} */
  #told = null;
  /** @type {Introduced[]} */
  #guests = [];
  #appointment = '';

  /**
   * @param {{wire: Wire, media: MediaSession, chat: Chat}} parts of the conversation
   * @param {(participant: string) => boolean} inTouch whether somebody's media arrives
   */
  constructor({ wire, media, chat }, inTouch) {
    super();
    this.#wire = wire;
    this.#media = media;
    this.#chat = chat;
    this.#inTouch = inTouch;
    this.#sizes = new Sizes((sizes) => wire.request('sizes', { sizes }));
    this.#speech = new OwnWord(wire, 'speak', { speaking: false });
    this.#hearing = new Hearing((speaking) => this.#speech.set({ speaking }));
    const speaks = wire.on('speaks', ({ participant, speaking }) => this.#speaks(participant, speaking));
    const slots = () => this.#onSlots();
    media.addEventListener('slots', slots);
    const over = new AbortController();
    media.addEventListener('slots', slots, { signal: over.signal });
    chat.addEventListener('passed', (event) => this.#meet(/** @type {CustomEvent} */ (event).detail), { signal: over.signal });
    this.#stops = [speaks, () => over.abort()];
  }

  /** Who is to be seen where. @returns {Seat[]} the stage is slot −1 */
  get seats() {
    const streams = new Map(this.#media.connection?.places.map(({ slot, stream }) => [slot, stream]));
    return this.#media.slots.flatMap(({ slot, participant, paused = false }) => {
      const stream = streams.get(slot);
      return stream ? [{ slot, participant, stream, paused }] : [];
    });
  }

  /** Whether this person's media arrives and can be read. @param {string} participant */
  inTouchWith(participant) {
    return this.#inTouch(participant);
  }

  /** Follow the room. @param {RoomView} room */
  update({ appointment, me, others, capacity = 2 }) {
    this.#appointment = appointment;
    const people = new Set(others.filter(({ state, connected }) => state === 'admitted' && connected).map(({ participant }) => participant));
    const newcomers = [...people].some((participant) => !this.#people.has(participant));
    this.#people = people;
    for (const participant of this.speaking) if (!people.has(participant)) this.speaking.delete(participant);
    if (capacity <= 2 || me.state !== 'admitted') return;
    this.#listening = true;
    this.hear();
    // Silence needs no word: it is what a newcomer takes for granted.
    if (newcomers) this.#speech.entered({ speaking: false });
  }

  /** Listen to the microphone that is used now: between two nobody has to be told who speaks. */
  hear() {
    // A browser that cannot tells nobody, and is taken to be silent.
    if (this.#listening) this.#hearing.listen(this.#media.track('microphone')).catch(() => undefined);
  }

  /** The socket was lost and is back: what was said meanwhile did not arrive. */
  reconnected() {
    if (this.#listening) this.#speech.entered({});
  }

  /** What of whom is to be seen on this page, and how large; of whom nothing is said stays as it was. @param {Shown[]} shown */
  show(shown) {
    this.#shown = shown;
    this.#tell();
  }

  /** As the practitioner: tell the others' pages who the guests are, inside the encryption. @param {Introduced[]} guests */
  introduce(guests) {
    if (JSON.stringify(guests) === JSON.stringify(this.#guests)) return;
    this.#guests = guests;
    this.acquaint();
  }

  /** Keys are in place: whoever is new knows nobody. */
  acquaint() {
    // Without it a guest is called so.
    if (this.#guests.length) this.#chat.pass({ type: 'guests', guests: this.#guests }).catch(() => undefined);
  }

  /** Out: by their link they may wait again. @param {string} participant @throws {WireError} */
  async remove(participant) {
    await this.#wire.request('remove', { participant });
  }

  /** On hold: without picture and sound either way, and under no key. @param {string} participant @throws {WireError} */
  async putBack(participant) {
    await this.#wire.request('put-back', { participant });
  }

  /** Nobody new comes as far as the waiting room. @param {boolean} locked @throws {WireError} */
  async lock(locked) {
    await this.#wire.request('lock', { locked });
  }

  /** As a colleague who leads: somebody who waits comes in. @param {string} participant @throws {WireError} */
  async callIn(participant) {
    await this.#wire.request('call-in', { appointment: this.#appointment, participant });
  }

  /** A colleague has the practitioner's rights in this consult from now on. @param {string} participant @throws {WireError} */
  async handOver(participant) {
    await this.#wire.request('hand-over', { participant });
  }

  close() {
    for (const stop of this.#stops) stop();
    this.#sizes.close();
    this.#speech.close();
    this.#hearing.close();
  }

  /** @param {string} participant @param {boolean} speaking */
  #speaks(participant, speaking) {
    if (!this.#people.has(participant) || this.speaking.has(participant) === speaking) return;
    if (speaking) this.speaking.add(participant);
    else this.speaking.delete(participant);
    this.dispatchEvent(new Event('change'));
  }

  /** @param {{role: string, content: any}} passed */
  #meet({ role, content }) {
    if (role !== 'practitioner' || content.type !== 'guests' || !Array.isArray(content.guests)) return;
    this.introduced = new Map(content.guests.slice(0, MOST_INTRODUCED).filter(isIntroduced).map((/** @type {Introduced} */ one) => [one.guest, one]));
    this.dispatchEvent(new Event('change'));
  }

  #onSlots() {
    if (this.#told !== this.#media.connection) this.#sizes.forget();
    this.#told = this.#media.connection;
    this.#tell();
    this.dispatchEvent(new Event('change'));
  }

  #tell() {
    /** @type {SlotSize[]} */
    const sizes = [];
    for (const { slot, participant } of this.#media.slots) {
      const one = this.#shown.find((it) => it.participant === participant && Boolean(it.stage) === (slot === STAGE));
      if (one) sizes.push({ slot, height: Math.round(Math.min(one.height, 8192)), pinned: one.pinned ?? false });
    }
    this.#sizes.set(sizes);
  }
}

/** @param {any} value */
function isIntroduced(value) {
  const { guest, name, role } = value ?? {};
  return [guest, name, role].every((text) => typeof text === 'string' && text.length <= MOST_LETTERS);
}
