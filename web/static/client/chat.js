/** The chat of one consult: encrypted on the way, in memory only, re-sent to a page that was reloaded or that lost some of it. */

import { fromBase64Url, random, toBase64Url, utf8 } from './bytes.js';
import { WireError } from './errors.js';

/** @import {Encryption} from './encryption.js' */
/** @import {Wire} from './key-exchange.js' */
/** @import {Role} from './wire.js' */

const MAX_TEXT = 4_000;
const MAX_ENTRIES = 2_000;
/** A message on the wire may have 65,536 base64url characters: 49,152 bytes, less trailer and tag. */
const MAX_PLAINTEXT = 48_000;
const ASK_AGAIN_MS = 2_000;
const ASK_AGAIN_MOST_MS = 32_000;

/** @typedef {{id: string, role: Role, participant: string, text: string, at: number}} Entry */
/** @typedef {Entry & {mine: boolean, copy: boolean}} ChatEntry `mine`: written on this page. `copy`: by what another says, out of its log */

/** Events: `chat` with the new ChatEntry, or with `{log: true}` after a log was merged; `passed` {role, content} of what is no chat. */
export class Chat extends EventTarget {
  /** @type {ChatEntry[]} oldest first */
  log = [];

  #wire;
  #encryption;
  #me;
  #roleOf;
  #stop;
  #incomplete = false;
  /** Until our first handshake is complete, everybody there may have a log for us. */
  #joining = true;
  /** @type {Set<string>} those of that handshake whose log has not come yet */
  #expected = new Set();
  /** @type {Set<string>} those whose log came */
  #told = new Set();
  /** Who said what our own role said before this page was loaded: one only, in one log; '' when that is over. @type {string | null} */
  #chronicler = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Set<string>} those who are being sent the log because they asked */
  #asking = new Set();

  /**
   * @param {Wire} wire
   * @param {Encryption} encryption
   * @param {{participant: string, role: Role}} me
   * @param {(participant: string) => Role | null} roleOf
   */
  constructor(wire, encryption, me, roleOf) {
    super();
    this.#wire = wire;
    this.#encryption = encryption;
    this.#me = me;
    this.#roleOf = roleOf;
    this.#stop = wire.on('chat', (message) => {
      this.#receive(message).catch(() => undefined);
    });
  }

  /**
   * @param {string} text
   * @returns {Promise<void>}
   * @throws {WireError} `too_large`; `bad_state` without keys; whatever the server answers
   */
  async send(text) {
    if (text.length > MAX_TEXT) throw new WireError('too_large', 'protocol', 'The message is too long.');
    const entry = { id: toBase64Url(random(16)), ...this.#me, text, at: Date.now() };
    await this.#transmit({ type: 'text', id: entry.id, text, at: entry.at });
    const mine = { ...entry, mine: true, copy: false };
    this.#add([mine]);
    this.#emit(mine);
  }

  /** A handshake is complete: those who were in our first one send their logs, once. @param {Iterable<string>} holders */
  joined(holders) {
    if (!this.#joining) return;
    this.#joining = false;
    this.#expected = new Set([...holders].filter((holder) => !this.#told.has(holder)));
  }

  /** Something was lost: ask the others for their logs until one comes. */
  async ask(wait = ASK_AGAIN_MS) {
    clearTimeout(this.#timer);
    this.#incomplete = true;
    await this.#transmit({ type: 'log-wanted' }).catch(() => undefined);
    if (this.#incomplete) this.#timer = setTimeout(() => this.ask(Math.min(2 * wait, ASK_AGAIN_MOST_MS)), wait);
  }

  /** Everything said so far, to somebody who does not have it. @param {string} to */
  async resend(to) {
    /** @type {Entry[]} */
    let part = [];
    let size = 0;
    for (const { id, role, participant, text, at } of this.log) {
      const entry = { id, role, participant, text, at };
      const length = utf8(JSON.stringify(entry)).length + 1;
      if (size + length > MAX_PLAINTEXT - 100) {
        await this.#transmit({ type: 'log', entries: part, more: true }, to);
        [part, size] = [[], 0];
      }
      part.push(entry);
      size += length;
    }
    await this.#transmit({ type: 'log', entries: part }, to);
  }

  /** Something else to the others' pages, encrypted as all is. @param {object} content with a `type` @throws {WireError} as `send` */
  pass(content) {
    return this.#transmit(content);
  }

  #complete() {
    this.#incomplete = false;
    clearTimeout(this.#timer);
  }

  /** @param {string} to */
  async #answer(to) {
    if (this.#asking.has(to)) return;
    this.#asking.add(to);
    await this.resend(to).finally(() => this.#asking.delete(to));
  }

  /** Forget everything. */
  close() {
    this.#stop();
    this.#complete();
    this.log = [];
  }

  /** @param {object} content @param {string} [to] */
  async #transmit(content, to) {
    const frame = await this.#encryption.seal(utf8(JSON.stringify(content)));
    if (frame === null) throw new WireError('bad_state', 'user', 'Nobody else has the keys yet.');
    const message = { ciphertext: toBase64Url(frame) };
    await this.#wire.request('chat', to === undefined ? message : { ...message, to });
  }

  /** @param {{sender: string, ciphertext: string}} message */
  async #receive({ sender, ciphertext }) {
    const plaintext = await this.#encryption.open(sender, fromBase64Url(ciphertext));
    const role = this.#roleOf(sender);
    if (plaintext === null || role === null) return;
    const content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext));
    if (content.type === 'text') {
      const entry = entryFrom({ ...content, role, participant: sender });
      if (entry === null) return;
      const heard = { ...entry, at: this.#plausible(entry.at), mine: false, copy: false };
      if (this.#add([heard])) this.#emit(heard);
    } else if (content.type === 'log-wanted') {
      await this.#answer(sender);
    } else if (content.type === 'log' && Array.isArray(content.entries)) {
      if (this.#takeLog(sender, content)) this.#emit({ log: true });
    } else this.#emit({ role, content }, 'passed');
  }

  /**
   * Another's log counts only where one is missing, and never against what this page knows itself.
   * @param {string} sender
   * @param {{entries: unknown[], more?: unknown}} content
   * @returns {boolean} whether something of it was new
   */
  #takeLog(sender, { entries, more }) {
    const missing = this.#incomplete || this.#expected.has(sender) || (this.#joining && !this.#told.has(sender));
    if (!missing) return false;
    const known = this.#lastOwn() >= 0 || ![null, sender].includes(this.#chronicler);
    const copies = [];
    for (const value of entries.slice(0, MAX_ENTRIES)) {
      const entry = entryFrom(value);
      if (entry === null || (known && entry.role === this.#me.role)) continue;
      if (entry.role === this.#me.role) this.#chronicler = sender;
      copies.push({ ...entry, at: this.#plausible(entry.at), mine: false, copy: true });
    }
    if (more !== true) {
      this.#expected.delete(sender);
      this.#told.add(sender);
      if (this.#chronicler === sender) this.#chronicler = '';
      this.#complete();
    }
    return this.#add(copies);
  }

  /** Where the last entry is that was written on this page; −1 if there is none. */
  #lastOwn() {
    return this.log.map(({ mine }) => mine).lastIndexOf(true);
  }

  /** No clock of another puts words before what was written here, nor into the future. @param {number} at */
  #plausible(at) {
    return Math.min(Math.max(at, this.log[this.#lastOwn()]?.at ?? 0), Date.now());
  }

  /** @param {ChatEntry[]} entries @returns {boolean} whether one was new */
  #add(entries) {
    const known = new Set(this.log.map(({ id }) => id));
    const fresh = entries.filter(({ id }) => !known.has(id) && known.add(id));
    const own = this.#lastOwn() + 1;
    const after = [...this.log.slice(own), ...fresh].sort((left, right) => left.at - right.at);
    this.log = [...this.log.slice(0, own), ...after].slice(-MAX_ENTRIES);
    return fresh.length > 0;
  }

  /** @param {object} detail @param {string} [type] */
  #emit(detail, type = 'chat') {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** What the other side says is data, not to be trusted in shape. @param {any} value @returns {Entry | null} */
function entryFrom(value) {
  const { id, role, participant, text, at } = value ?? {};
  const texts = [id, role, participant, text].every((it) => typeof it === 'string');
  if (!texts || !Number.isSafeInteger(at) || text.length > MAX_TEXT || id.length > 64) return null;
  if (!['practitioner', 'patient', 'guest'].includes(role)) return null;
  return { id, role, participant, text, at };
}
