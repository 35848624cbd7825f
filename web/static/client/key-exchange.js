/** Handshakes one after another, as the room's membership changes; their secrets go to the encryption worker. */

import { WireError } from './errors.js';
import { Handshake } from './handshake.js';
import { ownMaterial } from './keys.js';

/** @import {Encryption} from './encryption.js' */
/** @import {Step} from './handshake.js' */
/** @import {Own} from './keys.js' */
/** @import {KeysView, RoomView} from './wire.js' */

const RESTART_AFTER_MS = 5_000;
const RESTART_JITTER_MS = 500;
const MAX_EARLY = 256;

/** @type {Step[]} */
const STEPS = ['key-commit', 'key-reveal', 'key-wrap'];

/**
 * @typedef {object} Wire
 * @property {(event: string, body?: object) => Promise<any>} request
 * @property {(event: string, listener: (body: any) => void) => () => void} on
 */

/**
 * Events: `change`: `code` or `holders` changed; `complete`: this epoch's secrets are all in place; `tampering`: the handshake
 * was interfered with, nothing is sent under it.
 */
export class KeyExchange extends EventTarget {
  /** Six digits, or null while nobody else holds keys. @type {string | null} */
  code = null;
  /** The other participants whose frames can be decrypted. @type {Set<string>} */
  holders = new Set();

  #wire;
  #participant;
  #encryption;
  #stops;
  /** @type {Promise<Own>} */
  #spare;
  #identity = '';
  #epoch = 0;
  /** @type {Handshake | null} */
  #handshake = null;
  /** @type {{step: Step, message: any}[]} of epochs that the room view has not announced yet */
  #early = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #reachable = false;
  #closed = false;

  /** @param {Wire} wire @param {string} participant oneself @param {Encryption} encryption */
  constructor(wire, participant, encryption) {
    super();
    this.#wire = wire;
    this.#participant = participant;
    this.#encryption = encryption;
    this.#stops = STEPS.map((step) => wire.on(step, (message) => this.#receive(step, message)));
    this.#spare = ownMaterial();
  }

  /** Follow the room. @param {RoomView} room */
  update({ appointment, keys, others }) {
    if (this.#closed) return;
    const present = new Map(others.map((other) => [other.participant, other.connected]));
    this.#reachable = keys !== null && keys.members.every((member) => present.get(member.participant) !== false);
    const alone = keys === null || keys.members.length < 2 || !present.size;
    const identity = alone ? '' : JSON.stringify([appointment, keys.epoch, ...keys.members.map((it) => it.participant)]);
    if (identity === this.#identity) return;
    this.#identity = identity;
    this.#stop();
    for (const holder of this.holders) if (!present.has(holder)) this.holders.delete(holder);
    this.#setCode(null);
    if (!alone) this.#begin(appointment, keys);
  }

  /** The socket was lost and is back: what was said meanwhile did not arrive. */
  reconnected() {
    this.#early = [];
    if (this.#identity !== '' && !this.#handshake?.complete) this.#restart();
  }

  close() {
    this.#closed = true;
    this.#stop();
    for (const stop of this.#stops) stop();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#handshake?.cancel();
    this.#handshake = null;
  }

  /** @param {string} appointment @param {KeysView} keys */
  async #begin(appointment, { epoch, members }) {
    this.#epoch = epoch;
    this.#arm();
    const identity = this.#identity;
    const own = await this.#spare;
    this.#spare = ownMaterial();
    if (this.#closed || identity !== this.#identity) return;
    try {
      this.#handshake = new Handshake({
        appointment,
        participant: this.#participant,
        epoch,
        members,
        own,
        send: (event, body) => this.#wire.request(event, body),
        onOwn: (place) => this.#encryption.own(place),
        onRemote: async (participant, place) => {
          await this.#encryption.remote(participant, place);
          this.holders.add(participant);
          this.#emit('change');
        },
        onComplete: (code) => this.#onComplete(code),
        onFailure: (error) => this.#onFailure(error),
      });
    } catch (error) {
      this.#onFailure(/** @type {Error} */ (error));
      return;
    }
    this.#handshake.start();
    const early = this.#early;
    this.#early = [];
    for (const { step, message } of early) this.#receive(step, message);
  }

  /** @param {Step} step @param {any} message */
  #receive(step, message) {
    if (message.epoch === this.#epoch && this.#handshake !== null) this.#handshake.receive(step, message);
    else if (this.#early.length < MAX_EARLY && message.epoch >= this.#epoch) this.#early.push({ step, message });
  }

  /** @param {string} code */
  #onComplete(code) {
    clearTimeout(this.#timer);
    this.#setCode(code);
    this.#emit('complete');
  }

  /** @param {Error} error */
  #onFailure(error) {
    if (error instanceof WireError) return;
    clearTimeout(this.#timer);
    this.#emit('tampering');
  }

  #arm() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#restart(), RESTART_AFTER_MS + Math.random() * RESTART_JITTER_MS);
  }

  /** A message was lost: let the server begin the next epoch. Useless while somebody is not there to take part. */
  #restart() {
    this.#arm();
    if (this.#reachable) this.#wire.request('key-restart', { epoch: this.#epoch }).catch(() => undefined);
  }

  /** @param {string | null} code */
  #setCode(code) {
    if (this.code === code) return;
    this.code = code;
    this.#emit('change');
  }

  /** @param {string} type */
  #emit(type) {
    this.dispatchEvent(new Event(type));
  }
}
