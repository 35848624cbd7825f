/** One Socket.IO connection to the server, shared by the desk and the consult of a page. */

import { io } from './vendor/socket.io-client-4.8.4/socket.io.esm.min.js';
import { random, toBase64Url } from './bytes.js';
import { WireError, offline, timedOut } from './errors.js';

export const PROTOCOL_VERSION = 1;
/** What this client knows beyond the protocol's first form; the server's `welcome` says which of it counts. */
const CAPABILITIES = ['replay', 'once'];
/** What a person said, so that it should arrive although the connection was lost; each is carried out once. */
const INSISTED = new Set(['chat', 'tell']);
/** The server remembers for two minutes what it carried out; a later repeat would be another message. */
const INSIST_MS = 30_000;
const REPEAT_MS = 1_000;

const REQUEST_TIMEOUT_MS = 10_000;
/** The first try is short: a node that stands still takes a connection and never answers, and there are others. */
const CONNECT_TIMEOUT_MIN_MS = 2_000;
const CONNECT_TIMEOUT_MAX_MS = 8_000;
const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 4_000;
/** Waiting longer than this for the first connection is no connection. */
const OPEN_TIMEOUT_MS = 15_000;
const MAX_TOKEN_REFUSALS = 3;
const HOPELESS = new Set([
  'version_unsupported',
  'origin_refused',
  'link_invalid',
  'code_needed',
  'ended',
  'gone',
  'unauthenticated',
  'token_reused',
]);

/**
 * @typedef {object} SignalingOptions
 * @property {() => Promise<string>} token a fresh access token
 * @property {() => string | null} [resume] the resume ticket to prefer, if there is one
 * @property {() => void} [resumeRefused] the server does not take that ticket (any more)
 * @property {() => Promise<void>} [signIn] nobody is signed in any more: resolves as soon as somebody is; without it that
 *   is the end
 */

/**
 * Events: `open`; `close`; `refused` with the WireError after which it has stopped trying; `gap`: something that was sent
 * while we were away is gone.
 */
export class Signaling extends EventTarget {
  /** The number of the last numbered event, for the next `arrive` of the same participant. @type {number | null} */
  seen = null;

  #options;
  #socket;
  #closed = false;
  #wasOpen = false;
  #refusals = 0;
  #delay = RETRY_MIN_MS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #lastWasResume = false;
  /** The next connection is by an access token, whatever ticket there is. */
  #anew = false;
  #signingIn = false;
  /** Both sides know `once`. */
  #once = false;
  /** This connection has a place in a room. */
  #placed = false;
  #entered = false;
  /** Whether the event that is being passed on comes for the first time. */
  #fresh = true;
  /** The network is back, or somebody looks at the page again: do not wait for the next turn. */
  #hurry = () => {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#socket.connect();
  };

  /** @param {SignalingOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#socket = io({
      path: '/socket.io/',
      transports: ['websocket'],
      reconnection: false,
      autoConnect: false,
      forceNew: true,
      timeout: CONNECT_TIMEOUT_MIN_MS,
      auth: (/** @type {(data: object) => void} */ pass) => this.#authenticate(pass),
    });
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('connect_error', (/** @type {Error & {data?: any}} */ error) => this.#onRefusal(error));
    this.#socket.on('welcome', ({ capabilities }) => (this.#once = capabilities.includes('once')));
    this.#socket.on('disconnect', () => {
      this.#placed = false;
      this.dispatchEvent(new Event('close'));
      this.#again();
    });
    this.#socket.onAny((event, ...args) => this.#number(event, args));
    this.#socket.on('present', (...args) => {
      const acknowledge = args.at(-1);
      if (typeof acknowledge === 'function') acknowledge({});
    });
    globalThis.addEventListener('online', this.#hurry);
    document.addEventListener('visibilitychange', this.#hurry);
  }

  get connected() {
    return this.#socket.connected;
  }

  /** Start connecting; harmless when it already has. */
  open() {
    if (this.#closed || this.#signingIn || this.#socket.active || this.#timer !== undefined) return;
    this.#socket.connect();
  }

  /** Somebody signed in again: a connection by a ticket of before becomes one of this session. */
  renew() {
    if (this.#closed || !this.connected || !this.#lastWasResume) return;
    this.#anew = true;
    this.#socket.disconnect();
    this.#hurry();
  }

  /** For good. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    globalThis.removeEventListener('online', this.#hurry);
    document.removeEventListener('visibilitychange', this.#hurry);
    this.#socket.disconnect();
    this.dispatchEvent(new Event('closed'));
  }

  /**
   * Send an event and wait for its acknowledgement. Connects first if nothing ever did; rejects with `offline` while a
   * connection that was there is lost, because a late repetition could mean something else by then. A chat message or a
   * word to who waits that was on its way when the connection was lost is sent again when it is back.
   * @param {string} event
   * @param {object} [body]
   * @returns {Promise<any>} the reply's data
   * @throws {WireError}
   */
  async request(event, body = {}) {
    if (!this.connected) await this.#opened();
    if (INSISTED.has(event) && this.#once) return this.#insist(event, body);
    const data = await this.#send(event, body);
    if (event === 'arrive' || event === 'admit') {
      this.#placed = this.#entered = true;
      this.dispatchEvent(new Event('placed'));
    }
    return data;
  }

  /** Until it is acknowledged, under one id. @param {string} event @param {object} body */
  async #insist(event, body) {
    const beside = { id: toBase64Url(random(16)) };
    const back = this.#placed ? 'placed' : 'open';
    const end = performance.now() + INSIST_MS;
    for (let repeat = false; ; repeat = true) {
      const away = this.#entered && !this.#placed;
      try {
        return await this.#send(event, body, beside);
      } catch (error) {
        const { code } = /** @type {WireError} */ (error);
        // A repeat is told to try again as long as a node is still at work on the first.
        const underWay = repeat && code === 'try_again';
        // The connection is back before we are in our place.
        const early = away && code === 'bad_state';
        if (this.#closed || performance.now() > end || !(underWay || early || code === 'offline')) throw error;
        if (early && this.#placed) continue;
        await (underWay ? new Promise((resolve) => setTimeout(resolve, REPEAT_MS)) : this.#until(early ? 'placed' : back));
      }
    }
  }

  /** @param {string} event @param {object[]} parts @returns {Promise<any>} */
  #send(event, ...parts) {
    return new Promise((resolve, reject) => {
      const lost = () => finish(() => reject(offline()));
      const finish = (/** @type {() => void} */ settle) => {
        this.removeEventListener('close', lost);
        settle();
      };
      this.addEventListener('close', lost);
      this.#socket.timeout(REQUEST_TIMEOUT_MS).emit(event, ...parts, (/** @type {Error | null} */ late, /** @type {any} */ reply) =>
        finish(() => {
          if (late) reject(timedOut());
          else if (reply?.ok === true) resolve(reply.data);
          else reject(WireError.from(reply?.error));
        }),
      );
    });
  }

  /**
   * Listen to a server event.
   * @param {string} event
   * @param {(body: any) => void} listener
   * @returns {() => void} stops listening
   */
  on(event, listener) {
    const first = (/** @type {any} */ body) => {
      if (this.#fresh) listener(body);
    };
    this.#socket.on(event, first);
    return () => {
      this.#socket.off(event, first);
    };
  }

  /** Called before an event's listeners. @param {string} event @param {any[]} args */
  #number(event, [body, beside]) {
    const seq = event === 'replay' ? null : (beside?.seq ?? null);
    this.#fresh = seq === null || this.seen === null || seq > this.seen;
    if (event === 'replay') {
      this.seen = body.seq;
      if (!body.complete) this.dispatchEvent(new Event('gap'));
    } else if (seq !== null && this.#fresh) this.seen = seq;
  }

  /** @returns {Promise<void>} */
  #opened() {
    if (this.#closed || this.#wasOpen) return Promise.reject(offline());
    this.open();
    return this.#until('open');
  }

  /** @param {'open' | 'placed'} type @returns {Promise<void>} */
  #until(type) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(timedOut()), OPEN_TIMEOUT_MS);
      /** @param {unknown} outcome */
      const settle = (outcome) => {
        clearTimeout(timer);
        for (const one of [type, 'refused', 'closed']) this.removeEventListener(one, settle);
        if (outcome instanceof WireError) reject(outcome);
        else if (outcome instanceof CustomEvent) reject(outcome.detail);
        else if (/** @type {Event} */ (outcome).type === 'closed') reject(offline());
        else resolve();
      };
      for (const one of [type, 'refused', 'closed']) this.addEventListener(one, settle);
    });
  }

  /** @param {(data: object) => void} pass */
  async #authenticate(pass) {
    try {
      const ticket = this.#anew ? null : (this.#options.resume?.() ?? null);
      this.#lastWasResume = ticket !== null;
      pass({ version: PROTOCOL_VERSION, token: ticket ?? (await this.#options.token()), capabilities: CAPABILITIES });
    } catch (error) {
      this.#socket.disconnect();
      this.#onRefusal(error instanceof WireError ? Object.assign(new Error(error.message), { data: error }) : error);
    }
  }

  #onConnect() {
    this.#wasOpen = true;
    this.#anew = false;
    this.#refusals = 0;
    this.#delay = RETRY_MIN_MS;
    this.#socket.io.timeout(CONNECT_TIMEOUT_MIN_MS);
    this.dispatchEvent(new Event('open'));
  }

  /** @param {any} error without `data`: the transport failed; with it: the server's or the token's refusal */
  #onRefusal(error) {
    const refusal = error?.data ? WireError.from(error.data.error ?? error.data) : offline();
    if (refusal.code === 'token_invalid') {
      this.#refusals += 1;
      if (this.#lastWasResume) this.#options.resumeRefused?.();
    }
    if (refusal.code === 'unauthenticated' && this.#options.signIn) {
      this.#socket.disconnect();
      this.#waitForSignIn(this.#options.signIn);
      return;
    }
    if (HOPELESS.has(refusal.code) || this.#refusals > MAX_TOKEN_REFUSALS) {
      this.#closed = true;
      this.#socket.disconnect();
      this.dispatchEvent(new CustomEvent('refused', { detail: refusal }));
      return;
    }
    this.#socket.io.timeout(Math.min(Number(this.#socket.io.timeout()) * 2, CONNECT_TIMEOUT_MAX_MS));
    this.#again();
  }

  /** @param {() => Promise<void>} signIn */
  async #waitForSignIn(signIn) {
    if (this.#signingIn) return;
    this.#signingIn = true;
    await signIn();
    this.#signingIn = false;
    this.#refusals = 0;
    this.#delay = RETRY_MIN_MS;
    this.#again();
  }

  /** Try again after a jittered delay, so that a restarted server is not met by everybody at once. */
  #again() {
    if (this.#closed || this.#signingIn || this.#timer !== undefined) return;
    const wait = this.#delay * (0.5 + Math.random());
    this.#delay = Math.min(this.#delay * 2, RETRY_MAX_MS);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#closed) this.#socket.connect();
    }, wait);
  }
}
