/** One key handshake: one epoch, one set of members (docs/protocol.md, Handshake). */

import { compare, equal, fromBase64Url, toBase64Url } from './bytes.js';
import { MAX_MEMBERS } from './frame.js';
import { commitment, transcript, unwrap, verificationCode, wrap } from './keys.js';

/** @import {Bytes} from './bytes.js' */
/** @import {Entry, Own} from './keys.js' */
/** @import {SecretAt} from './keyring.js' */
/** @import {KeyMember} from './wire.js' */

/** The other side, or somebody in between, did not keep to the handshake: nothing may be sent under it. */
export class Tampering extends Error {
  /** @param {string} what */
  constructor(what) {
    super(what);
    this.name = 'Tampering';
  }
}

/**
 * @typedef {object} HandshakeOptions
 * @property {string} appointment
 * @property {string} participant oneself
 * @property {number} epoch
 * @property {KeyMember[]} members oneself included, in any order
 * @property {Own} own
 * @property {(event: string, body: object) => Promise<unknown>} send
 * @property {(place: SecretAt) => unknown} onOwn all `key-wrap` were acknowledged: send under it from now on
 * @property {(participant: string, place: SecretAt) => unknown} onRemote somebody else's secret
 * @property {(code: string) => void} onComplete every secret is in place
 * @property {(error: Error) => void} onFailure Tampering, or the reason why something could not be sent
 */

/** @typedef {'key-commit' | 'key-reveal' | 'key-wrap'} Step */
/** @typedef {{transcript: Bytes, entries: Map<string, Entry>, code: string}} Agreed */

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
  }

  start() {
    this.#guarded(async () => {
      const { appointment, epoch, send } = this.#options;
      const digest = await commitment(appointment, epoch, this.#ownEntry());
      const sent = send('key-commit', { epoch, commitment: toBase64Url(digest) });
      this.#committed = true;
      await Promise.all([sent, this.#advance()]);
    });
  }

  /** @param {Step} step @param {any} message from the server, with `sender` */
  receive(step, message) {
    if (this.#over || !this.#others.has(message.sender)) return;
    this.#guarded(async () => {
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
      const { epoch, own, send } = this.#options;
      const sent = send('key-reveal', { epoch, key: toBase64Url(own.key), nonce: toBase64Url(own.nonce) });
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
    const { appointment, epoch, participant, own } = this.#options;
    /** @type {Map<string, Entry>} */
    const entries = new Map([[participant, this.#ownEntry()]]);
    for (const { participant: other, role } of this.#members) {
      if (other === participant) continue;
      const reveal = this.#received['key-reveal'].get(other);
      const entry = { participant: other, role, key: fromBase64Url(reveal.key), nonce: fromBase64Url(reveal.nonce) };
      if (equal(entry.key, own.key)) throw new Tampering('our own key came back');
      const promised = fromBase64Url(this.#received['key-commit'].get(other).commitment);
      if (!equal(await commitment(appointment, epoch, entry), promised)) {
        throw new Tampering('a key is not the one that was committed to');
      }
      entries.set(other, entry);
    }
    const hash = await transcript(appointment, epoch, [...entries.values()]);
    return { transcript: hash, entries, code: await verificationCode(hash) };
  }

  /** @param {Agreed} agreed */
  async #wrapAll(agreed) {
    if (this.#sending) return;
    this.#sending = true;
    const { epoch, participant, own, send, onOwn } = this.#options;
    await Promise.all(
      [...this.#others].map(async (to) => {
        const peer = this.#entry(agreed, to).key;
        const wrapped = await wrap(own.privateKey, peer, agreed.transcript, participant, to, own.secret);
        await send('key-wrap', { epoch, to, wrapped: toBase64Url(wrapped) });
      }),
    );
    if (this.#over) return;
    await onOwn({ epoch, index: this.#index(participant), secret: own.secret });
    this.#sent = true;
    this.#finish(agreed);
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
    this.#finish(agreed);
  }

  /** @param {Agreed} agreed @param {string} from @param {string} to @param {Own} own @param {Bytes} wrapped */
  async #unwrap(agreed, from, to, own, wrapped) {
    try {
      return await unwrap(own.privateKey, this.#entry(agreed, from).key, agreed.transcript, from, to, wrapped);
    } catch {
      throw new Tampering('a wrapped secret does not authenticate');
    }
  }

  /** @param {Agreed} agreed */
  #finish(agreed) {
    if (this.#over || this.complete || !this.#sent || this.#placed < this.#others.size) return;
    this.complete = true;
    this.#options.onComplete(agreed.code);
  }

  /** @returns {Entry} */
  #ownEntry() {
    const { participant, own } = this.#options;
    const role = /** @type {KeyMember} */ (this.#members.find((member) => member.participant === participant)).role;
    return { participant, role, key: own.key, nonce: own.nonce };
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
