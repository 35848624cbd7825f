/** Handshakes one after another, as the room's membership changes; their secrets go to the encryption worker. */

import { WireError } from './errors.js';
import { Handshake, Outdated } from './handshake.js';
import { ownMaterial } from './keys.js';
import { Chain, Comparison, Tally } from './tally.js';

/** @import {Encryption} from './encryption.js' */
/** @import {Agreed, Step} from './handshake.js' */
/** @import {Own} from './keys.js' */
/** @import {KeyMember, KeysView, RoomView} from './wire.js' */

const RESTART_AFTER_MS = 5_000;
/** More for each person beyond two: everybody has something for everybody, and who gives up too soon ends it for all. */
const RESTART_MORE_MS = 1_000;
const RESTART_JITTER_MS = 500;
const GONE_MS = 10_000;
const MAX_EARLY = 256;

/** @type {Step[]} */
const STEPS = ['key-commit', 'key-reveal', 'key-wrap'];

/**
 * @typedef {object} Wire
 * @property {(event: string, body?: object) => Promise<any>} request
 * @property {(event: string, listener: (body: any) => void) => () => void} on
 */

/**
 * Events: `change`: something below changed; `complete`: this epoch's secrets are all in place; `tampering`: the handshake was
 * interfered with, nothing is sent any more.
 */
export class KeyExchange extends EventTarget {
  /** What to show beside the code. */
  comparison = new Comparison();
  /** The other participants whose frames can be decrypted. @type {Set<string>} */
  holders = new Set();
  /** How many are to hold the keys, oneself included. */
  people = 1;
  /** Another member offers another version of the encryption. */
  outdated = false;

  #wire;
  #participant;
  #encryption;
  #codes;
  #stops;
  #chain = new Chain();
  /** @type {Tally | null} */
  #tally = null;
  #before = false;
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
  /** @type {Set<string>} those who hold the secret that we send under */
  #given = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #gone;
  #reachable = false;
  #closed = false;

  /**
   * @param {Wire} wire
   * @param {string} participant oneself
   * @param {Encryption} encryption
   * @param {number} [codes] as in `verificationCode`
   */
  constructor(wire, participant, encryption, codes) {
    super();
    this.#wire = wire;
    this.#participant = participant;
    this.#encryption = encryption;
    this.#codes = codes;
    this.#stops = STEPS.map((step) => wire.on(step, (message) => this.#receive(step, message)));
    this.#spare = ownMaterial();
  }

  get code() {
    return this.comparison.code;
  }

  /** Follow the room. @param {RoomView} room */
  update({ appointment, keys, me, others }) {
    if (this.#closed) return;
    const shown = others.filter(({ state }) => state === 'admitted');
    if (keys !== null && !sameMembers(keys.members, [{ participant: this.#participant, role: me.role }, ...shown])) return this.#fail();
    const present = new Set(keys === null ? [] : shown.map(({ participant }) => participant));
    this.#reachable = keys !== null && shown.every(({ connected }) => connected);
    this.#watch(present);
    const alone = keys === null || keys.members.length < 2;
    const identity = alone ? '' : JSON.stringify([appointment, keys.epoch, keys.members]);
    if (identity === this.#identity) return;
    this.#identity = identity;
    if (!alone) this.#counting(appointment).excuse(present.size);
    this.#stop();
    for (const holder of this.holders) if (!present.has(holder)) this.holders.delete(holder);
    this.outdated = false;
    this.people = alone ? 1 : keys.members.length;
    this.comparison.hide();
    if (!alone && keys.epoch <= this.#epoch) return this.#fail();
    if (!alone) this.#begin(appointment, keys, [...present]);
    this.#emit('change');
  }

  /** The socket was lost and is back: what was said meanwhile did not arrive. */
  reconnected() {
    this.#early = [];
    if (this.#identity !== '' && !this.#handshake?.complete) this.#restart();
  }

  /** The person says to have compared the digits. */
  compared() {
    this.comparison.agree();
    this.#emit('change');
  }

  close() {
    this.#closed = true;
    this.#stop();
    clearTimeout(this.#gone);
    for (const stop of this.#stops) stop();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#handshake?.cancel();
    this.#handshake = null;
    this.#lapse();
  }

  /** No code came for the key that we revealed, if we did: that counts. */
  #lapse() {
    if (this.#tally === null) return;
    const said = this.comparison.withheld;
    this.#tally.lapse();
    this.comparison.count(this.#tally.counted);
    if (!said && this.comparison.withheld && !this.#closed) this.#emit('change');
  }

  /** @param {string} appointment @returns {Tally} */
  #counting(appointment) {
    if (this.#tally === null) {
      this.#tally = new Tally(appointment);
      this.#before = this.#tally.digits;
    }
    return this.#tally;
  }

  /** @param {string} appointment @param {KeysView} keys @param {string[]} others */
  async #begin(appointment, { epoch, members }, others) {
    this.#epoch = epoch;
    this.#arm();
    const tally = this.#counting(appointment);
    const withheld = tally.begin(others);
    this.comparison.count(tally.counted);
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
        chain: this.#chain,
        withheld,
        codes: this.#codes,
        send: (event, body) => this.#wire.request(event, body),
        onReveal: () => tally.reveal(),
        onRemote: async (participant, place) => {
          await this.#encryption.remote(participant, place);
          this.holders.add(participant);
          this.#emit('change');
        },
        onOwn: (place) => {
          this.#given = new Set(others);
          this.#watch(this.#given);
          return this.#encryption.own(place);
        },
        onComplete: (agreed) => this.#onComplete(agreed, others, tally),
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
    if (this.#closed) return;
    if (message.epoch === this.#epoch && this.#handshake !== null) this.#handshake.receive(step, message);
    else if (this.#early.length < MAX_EARLY && message.epoch >= this.#epoch) this.#early.push({ step, message });
  }

  /** After a while, send nothing more under a secret that somebody holds who is no longer shown. @param {Set<string>} shown */
  #watch(shown) {
    if ([...this.#given].every((holder) => shown.has(holder))) {
      clearTimeout(this.#gone);
      this.#gone = undefined;
    } else {
      this.#gone ??= setTimeout(() => this.#encryption.disown(), GONE_MS);
    }
  }

  /** @param {Agreed} agreed @param {string[]} others @param {Tally} tally */
  #onComplete({ code, withheld }, others, tally) {
    clearTimeout(this.#timer);
    tally.show();
    this.comparison.show(code, others, Math.max(withheld, tally.counted), this.#before);
    this.#emit('change');
    this.#emit('complete');
  }

  /** @param {Error} error */
  #onFailure(error) {
    if (error instanceof WireError) return;
    if (!(error instanceof Outdated)) return this.#fail();
    clearTimeout(this.#timer);
    this.outdated = true;
    this.#emit('change');
  }

  /** Somebody lied. This page sends nothing any more: only a new one, which is another participant, begins again. */
  #fail() {
    this.close();
    this.holders.clear();
    this.comparison.hide();
    this.#emit('tampering');
  }

  #arm() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#restart(), RESTART_AFTER_MS + (this.people - 2) * RESTART_MORE_MS + Math.random() * RESTART_JITTER_MS);
  }

  /** A message was lost: let the server begin the next epoch. Useless while somebody is not there to take part. */
  #restart() {
    this.#arm();
    this.#lapse();
    if (this.#reachable) this.#wire.request('key-restart', { epoch: this.#epoch }).catch(() => undefined);
  }

  /** @param {string} type */
  #emit(type) {
    this.dispatchEvent(new Event(type));
  }
}

/** Members are exactly the people shown, or somebody lied. @param {KeyMember[]} members @param {KeyMember[]} people */
function sameMembers(members, people) {
  const roles = new Map(members.map(({ participant, role }) => [participant, role]));
  const ids = new Set(people.map(({ participant }) => participant));
  const same = people.every(({ participant, role }) => roles.get(participant) === role);
  return same && [roles.size, members.length, people.length].every((count) => count === ids.size);
}
