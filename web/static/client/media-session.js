/** Keeps one MediaConnection alive: offers, ICE restarts, new connections, devices. */

import { WireError } from './errors.js';
import { MediaConnection, Moved } from './media.js';

/** @import {Encryption} from './encryption.js' */
/** @import {Wire} from './key-exchange.js' */
/** @import {Answer, MediaView, SlotView, Slots, Source} from './wire.js' */

/** A short gap heals by itself (ICE consent, RFC 7675); asking sooner would only add traffic to a bad line. */
const RESTART_AFTER_MS = 1_000;
const RESTART_DEADLINE_MS = 5_000;
const CONNECT_DEADLINE_MS = 8_000;
const FAILED_AFTER_MS = 30_000;
const RETRY_MIN_MS = 300;
const RETRY_MAX_MS = 4_000;

/** @typedef {'new' | 'connecting' | 'connected' | 'reconnecting' | 'failed'} SessionState */

/**
 * Events: `state`; `slots` when `slots` or the streams behind them changed; `connection` when there is another peer
 * connection.
 */
export class MediaSession extends EventTarget {
  /** @type {SessionState} */
  state = 'new';
  /** @type {SlotView[]} */
  slots = [];
  /** @type {MediaConnection | null} */
  connection = null;

  #wire;
  #encryption;
  #stopSlots;
  /** @type {Record<Source, MediaStreamTrack | null>} */
  #tracks = { microphone: null, camera: null, screen: null };
  /** @type {MediaView | null} */
  #view = null;
  /** @type {MediaConnection | null} built ahead, never used */
  #spare = null;
  /** Of the relay that `connection` goes to. @type {number | null} */
  #fence = null;
  /** Where `slots` comes from. */
  #seated = { fence: 0, version: 0 };
  #wasConnected = false;
  #tainted = false;
  #outstanding = false;
  #interrupted = false;
  #retry = RETRY_MIN_MS;
  /** @type {() => void} */
  #unwatch = () => undefined;
  /** @type {Record<string, ReturnType<typeof setTimeout> | undefined>} */
  #timers = {};
  #closed = false;

  /** @param {Wire} wire @param {Encryption} encryption */
  constructor(wire, encryption) {
    super();
    this.#wire = wire;
    this.#encryption = encryption;
    this.#stopSlots = wire.on('slots', (seen) => this.#setSlots(seen));
  }

  /** What is sent of oneself, or would be. @param {Source} source */
  track(source) {
    return this.#tracks[source];
  }

  /** Build a peer connection ahead of time. @param {number} slots @param {boolean} [simulcast] */
  prepare(slots, simulcast = false) {
    if (this.#closed || this.connection || this.#fits(this.#spare, slots, simulcast)) return;
    this.#spare?.close();
    this.#spare = new MediaConnection(this.#encryption, slots, simulcast);
    this.#attach(this.#spare);
    this.#spare.prepare();
  }

  /** Follow the room. @param {MediaView | null} view null: not admitted */
  update(view) {
    if (this.#closed) return;
    this.#view = view;
    if (view === null) {
      this.#drop();
      this.#after('failed', 0, null);
      this.#setState('new');
      return;
    }
    this.connection?.setIceServers(view.ice_servers);
    const fits = this.#fits(this.connection, view.slots, view.simulcast);
    if (fits && this.#fence === view.fence) return;
    if (view.ready) this.renew();
    else if (this.connection) this.#orphaned();
  }

  /** The signaling connection is back: an offer that was cut off, or a connection that is down, can be mended now. */
  reconnected() {
    const idle = !this.#outstanding && this.connection?.state !== 'connected';
    if (this.#interrupted || idle) this.#offer(this.#wasConnected);
  }

  /** A fresh peer connection to the relay of the current view. */
  renew() {
    if (this.#closed || !this.#view?.ready) return;
    const { fence, slots, simulcast, ice_servers: servers } = this.#view;
    this.#drop();
    this.#fence = fence;
    const spare = this.#fits(this.#spare, slots, simulcast) ? this.#spare : null;
    if (!spare) this.#spare?.close();
    this.#spare = null;
    const connection = spare ?? new MediaConnection(this.#encryption, slots, simulcast);
    if (!spare) this.#attach(connection);
    connection.setIceServers(servers);
    connection.addEventListener('state', () => this.#onState(connection));
    this.connection = connection;
    this.#tainted = false;
    if (this.state !== 'failed') this.#setState(this.#wasConnected ? 'reconnecting' : 'connecting');
    this.dispatchEvent(new Event('connection'));
    this.#after('deadline', CONNECT_DEADLINE_MS, () => this.renew());
    this.#offer(false);
  }

  /** @param {Source} source @param {MediaStreamTrack | null} track */
  async setTrack(source, track) {
    this.#tracks[source] = track;
    if (this.#tainted && track !== null && this.connection) {
      this.renew();
      return;
    }
    await this.#spare?.setTrack(source, track);
    if (await this.connection?.setTrack(source, track)) await this.#offer(false);
  }

  /** Stop a source that may not be sent; a new track for it starts on a fresh peer connection. @param {Source} source */
  async stop(source) {
    this.#tainted = true;
    const track = this.#tracks[source];
    this.#tracks[source] = null;
    track?.stop();
    await this.connection?.silence(source);
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopSlots();
    this.#drop();
    this.#after('failed', 0, null);
    this.#spare?.close();
    this.#spare = null;
  }

  #drop() {
    this.#calm();
    this.#unwatch();
    this.connection?.close();
    this.connection = null;
    this.#fence = null;
    this.#outstanding = false;
    this.#interrupted = false;
  }

  /** Its relay is gone and the next one not there yet: nothing to mend, `update` makes a new connection. */
  #orphaned() {
    this.#calm();
    this.#setState('reconnecting');
  }

  #calm() {
    for (const name of ['restart', 'deadline', 'retry']) this.#after(name, 0, null);
  }

  /** Whether a connection has room for so many, and sends as it should. @param {MediaConnection | null} one @param {number} slots @param {boolean} [simulcast] */
  #fits(one, slots, simulcast = false) {
    return one !== null && one.slots >= slots && one.simulcast === simulcast;
  }

  /** @param {MediaConnection} connection */
  #attach(connection) {
    for (const [source, track] of Object.entries(this.#tracks)) {
      connection.setTrack(/** @type {Source} */ (source), track).catch(() => undefined);
    }
  }

  /** @param {boolean} restart */
  async #offer(restart) {
    const { connection } = this;
    const fence = this.#fence;
    if (!connection || fence === null) return;
    this.#outstanding = true;
    this.#interrupted = false;
    this.#after('retry', 0, null);
    try {
      await this.#encryption.ready;
      const answer = await connection.negotiate((offer) => this.#wire.request('offer', { fence, ...offer }), { restart });
      if (connection !== this.connection) return;
      this.#outstanding = false;
      this.#retry = RETRY_MIN_MS;
      this.#setSlots(answer);
    } catch (error) {
      if (connection !== this.connection) return;
      this.#outstanding = false;
      this.#onOfferFailure(error, restart);
    }
  }

  /** @param {unknown} error @param {boolean} restart */
  #onOfferFailure(error, restart) {
    if (error instanceof WireError) {
      // Offline: `reconnected` offers again. Everything else may pass: a worker is being replaced, a limit was met.
      this.#interrupted = error.code === 'offline';
      if (this.#interrupted) return;
      this.#after('retry', this.#retry * (0.75 + Math.random() / 2), () => this.#offer(restart));
      this.#retry = Math.min(this.#retry * 2, RETRY_MAX_MS);
      return;
    }
    if (error instanceof Moved) this.renew();
    else this.#after('retry', RETRY_MAX_MS, () => this.renew());
  }

  /** @param {MediaConnection} connection */
  #onState(connection) {
    if (connection !== this.connection || this.#fence !== this.#view?.fence) return;
    switch (connection.state) {
      case 'connected':
        this.#wasConnected = true;
        for (const name of ['restart', 'deadline', 'failed']) this.#after(name, 0, null);
        this.#setState('connected');
        this.#watch(connection).catch(() => undefined);
        break;
      case 'disconnected':
        this.#lost(RESTART_AFTER_MS);
        break;
      case 'failed':
        this.#lost(0);
        break;
      default:
    }
  }

  /** Most of what breaks a path shows in its silence first. @param {MediaConnection} connection */
  async #watch(connection) {
    const { watch } = await import('./pathwatch.js');
    if (connection !== this.connection) return;
    this.#unwatch();
    this.#unwatch = watch(connection.pc, () => this.#offer(true));
  }

  /** @param {number} wait */
  #lost(wait) {
    this.#setState('reconnecting');
    this.#after('restart', wait, () => this.#offer(true));
    this.#after('deadline', wait + RESTART_DEADLINE_MS, () => this.renew());
  }

  /** The newest map counts: an answer and an event overtake each other. @param {Answer | Slots} seen */
  #setSlots({ fence, version, slots }) {
    if (fence !== this.#fence || (fence === this.#seated.fence && version < this.#seated.version)) return;
    this.#seated = { fence, version };
    this.slots = slots;
    this.#encryption.assign(slots).catch(() => undefined);
    this.dispatchEvent(new Event('slots'));
  }

  /** @param {SessionState} state */
  #setState(state) {
    if (state === 'connecting' || state === 'reconnecting') {
      this.#timers.failed ??= setTimeout(() => this.#setState('failed'), FAILED_AFTER_MS);
    }
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }

  /** One timer by name; null only clears it. @param {string} name @param {number} wait @param {(() => void) | null} then */
  #after(name, wait, then) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = then === null ? undefined : setTimeout(then, wait);
  }
}
