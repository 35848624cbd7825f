/** One key handshake: one epoch, one set of members (docs/protocol.md, Handshake). */

import { compare, equal, fromBase64Url, toBase64Url } from './bytes.js';
import { MAX_MEMBERS, NUMBER } from './frame.js';
import { commitment, transcript, unwrap, verificationCode, wrap } from './keys.js';

/** @import {Bytes} from './bytes.js' */
/** @import {Entry, Own} from './keys.js' */
/** @import {SecretAt} from './keyring.js' */
/** @import {Chain} from './tally.js' */
/** @import {KeyMember} from './wire.js' */

/** The other side, or somebody in between, did not keep to the handshake: nothing may be sent under it. */
export class Tampering extends Error {
  /** @param {string} what */
  constructor(what) {
    super(what);
    this.name = 'Tampering';
  }
}

/** Another member offers another version of the encryption: nothing may be revealed to it. */
export class Outdated extends Error {
  constructor() {
    super('the page or app of the other side, or this one, is out of date');
    this.name = 'Outdated';
  }
}

/**
 * @typedef {object} HandshakeOptions
 * @property {string} appointment
 * @property {string} participant oneself
 * @property {number} epoch
 * @property {KeyMember[]} members oneself included, in any order; that they are the people shown was checked before
 * @property {Own} own
 * @property {Chain} chain what was agreed on before; what is agreed on now goes into it
 * @property {number} withheld our count
 * @property {number} [codes] as in `verificationCode`
 * @property {(event: string, body: object) => Promise<unknown>} send
 * @property {() => void} onReveal our key is about to leave
 * @property {(participant: string, place: SecretAt) => unknown} onRemote somebody else's secret
 * @property {(place: SecretAt) => unknown} onOwn it is complete: send under this secret from now on
 * @property {(agreed: Agreed) => void} onComplete then
 * @property {(error: Error) => void} onFailure Tampering, Outdated, or the reason why something could not be sent
 */

/** @typedef {'key-commit' | 'key-reveal' | 'key-wrap'} Step */
/** @typedef {{transcript: Bytes, entries: Map<string, Entry>, code: string, withheld: number}} Agreed `withheld`: the highest count */

export class Handshake {
  #options;
  /** @type {KeyMember[]} */
  #members;
  /** @type {Set<string>} */
  #others;
  /** @type {Record<Step, Map<string, any>>} */
  #received = { 'key-commit': new Map(), 'key-reveal': new Map(), 'key-wrap': new Map() };
  /** @type {Set<string>} */
  #unwrapped = new Set();
  /** @type {Bytes[]} fixed from the beginning, since the commitment has it */
  #last;
  #committed = false;
  #revealing = false;
  #agreeing = false;
  /** @type {Agreed | null} */
  #agreed = null;
  #sending = false;
  #sent = false;
  #placed = 0;
  #over = false;
  complete = false;

  /** @param {HandshakeOptions} options @throws {Tampering} if the members cannot be true */
  constructor(options) {
    const { members, participant } = options;
    const ids = new Set(members.map((member) => member.participant));
    if (ids.size !== members.length || !ids.has(participant) || members.length > MAX_MEMBERS) {
      throw new Tampering('the member list cannot be true');
    }
    this.#options = options;
    this.#members = [...members].sort((left, right) => compare(left.participant, right.participant));
    ids.delete(participant);
    this.#others = ids;
    this.#last = this.#but(participant).map((other) => options.chain.last(other));
  }

  start() {
    this.#guarded(async () => {
      const { appointment, epoch, send } = this.#options;
      const digest = await commitment(appointment, epoch, this.#ownEntry());
      const sent = send('key-commit', { epoch, version: NUMBER, commitment: toBase64Url(digest) });
      this.#committed = true;
      await Promise.all([sent, this.#advance()]);
    });
  }

  /** @param {Step} step @param {any} message from the server, with `sender` */
  receive(step, message) {
    if (this.#over || !this.#others.has(message.sender)) return;
    this.#guarded(async () => {
      if (step === 'key-commit' && message.version !== NUMBER) throw new Outdated();
      const known = this.#received[step].get(message.sender);
      if (known !== undefined) {
        if (JSON.stringify(known) !== JSON.stringify(message)) throw new Tampering(`a second ${step}`);
        return;
      }
      this.#received[step].set(message.sender, message);
      await this.#advance();
    });
  }

  /** Forget about it; nothing is called any more. */
  cancel() {
    this.#over = true;
  }

  /** @param {() => Promise<void>} work */
  async #guarded(work) {
    if (this.#over) return;
    try {
      await work();
    } catch (error) {
      if (this.#over) return;
      this.#over = true;
      this.#options.onFailure(/** @type {Error} */ (error));
    }
  }

  async #advance() {
    if (this.#over) return;
    // Whoever reveals before holding every commitment lets the last one choose a key that makes the codes equal.
    if (this.#committed && this.#all('key-commit') && !this.#revealing) {
      this.#revealing = true;
      const { epoch, send, onReveal } = this.#options;
      const { key, nonce, last, withheld } = this.#ownEntry();
      onReveal();
      const body = { epoch, key: toBase64Url(key), nonce: toBase64Url(nonce), last: last.map(toBase64Url), withheld };
      const sent = send('key-reveal', body);
      await Promise.all([sent, this.#conclude()]);
    } else {
      await this.#conclude();
    }
  }

  /** Once every key is known: agree, hand out one's own secret, take the others'. */
  async #conclude() {
    if (this.#revealing && this.#all('key-reveal') && !this.#agreeing) {
      this.#agreeing = true;
      this.#agreed = await this.#agree();
    }
    if (this.#agreed !== null && !this.#over) {
      await Promise.all([this.#wrapAll(this.#agreed), this.#unwrapAll(this.#agreed)]);
    }
  }

  /** @param {Step} step */
  #all(step) {
    return this.#received[step].size === this.#others.size;
  }

  /** Check every reveal against its commitment. @returns {Promise<Agreed>} */
  async #agree() {
    const { appointment, epoch, participant, own, chain, codes } = this.#options;
    /** @type {Map<string, Entry>} */
    const entries = new Map([[participant, this.#ownEntry()]]);
    for (const { participant: other, role } of this.#members) {
      if (other === participant) continue;
      const { key, nonce, last, withheld } = this.#received['key-reveal'].get(other);
      const [before, count] = [last.map(fromBase64Url), Number(withheld)];
      const entry = { participant: other, role, key: fromBase64Url(key), nonce: fromBase64Url(nonce), last: before, withheld: count };
      if (equal(entry.key, own.key)) throw new Tampering('our own key came back');
      const promised = fromBase64Url(this.#received['key-commit'].get(other).commitment);
      if (!equal(await commitment(appointment, epoch, entry), promised)) {
        throw new Tampering('a key is not the one that was committed to');
      }
      const others = this.#but(other);
      if (entry.last.length !== others.length) throw new Tampering('what was completed before is not said of every member');
      if (!chain.holds(other, entry.last[others.indexOf(participant)])) {
        throw new Tampering('a handshake came before that was not ours');
      }
      entries.set(other, entry);
    }
    const hash = await transcript(appointment, epoch, [...entries.values()]);
    chain.agree(hash, this.#others);
    const counts = [...entries.values()].map(({ withheld }) => withheld);
    return { transcript: hash, entries, code: await verificationCode(hash, codes), withheld: Math.max(...counts) };
  }

  /** @param {Agreed} agreed */
  async #wrapAll(agreed) {
    if (this.#sending) return;
    this.#sending = true;
    const { epoch, participant, own, send } = this.#options;
    await Promise.all(
      [...this.#others].map(async (to) => {
        const peer = this.#entry(agreed, to).key;
        const wrapped = await wrap(own.privateKey, peer, agreed.transcript, participant, to, own.secret);
        await send('key-wrap', { epoch, to, wrapped: toBase64Url(wrapped) });
      }),
    );
    this.#sent = true;
    await this.#finish(agreed);
  }

  /** @param {Agreed} agreed */
  async #unwrapAll(agreed) {
    const { epoch, participant, own, onRemote } = this.#options;
    for (const [sender, { wrapped }] of this.#received['key-wrap']) {
      if (this.#unwrapped.has(sender)) continue;
      this.#unwrapped.add(sender);
      const secret = await this.#unwrap(agreed, sender, participant, own, fromBase64Url(wrapped));
      if (this.#over) return;
      await onRemote(sender, { epoch, index: this.#index(sender), secret });
      this.#placed += 1;
    }
    await this.#finish(agreed);
  }

  /** @param {Agreed} agreed @param {string} from @param {string} to @param {Own} own @param {Bytes} wrapped */
  async #unwrap(agreed, from, to, own, wrapped) {
    try {
      return await unwrap(own.privateKey, this.#entry(agreed, from).key, agreed.transcript, from, to, wrapped);
    } catch {
      throw new Tampering('a wrapped secret does not authenticate');
    }
  }

  /** Only now send under the new secret: whoever completes has it in the chain, and shows the digits. @param {Agreed} agreed */
  async #finish(agreed) {
    if (this.#over || this.complete || !this.#sent || this.#placed < this.#others.size) return;
    this.complete = true;
    const { epoch, participant, own, chain, onOwn, onComplete } = this.#options;
    chain.complete(agreed.transcript, this.#others);
    await onOwn({ epoch, index: this.#index(participant), secret: own.secret });
    if (!this.#over) onComplete(agreed);
  }

  /** @returns {Entry} */
  #ownEntry() {
    const { participant, own, withheld } = this.#options;
    const role = /** @type {KeyMember} */ (this.#members.find((member) => member.participant === participant)).role;
    return { participant, role, key: own.key, nonce: own.nonce, last: this.#last, withheld };
  }

  /** Everybody else's ids as one member sees them, in order. @param {string} one */
  #but(one) {
    return this.#members.map(({ participant }) => participant).filter((participant) => participant !== one);
  }

  /** @param {Agreed} agreed @param {string} participant @returns {Entry} */
  #entry(agreed, participant) {
    return /** @type {Entry} */ (agreed.entries.get(participant));
  }

  /** @param {string} participant */
  #index(participant) {
    return this.#members.findIndex((member) => member.participant === participant);
  }
}
