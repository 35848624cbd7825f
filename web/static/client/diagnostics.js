/** Watches the connection: tells the page every 2 s and hands the server one technical sample every 10 s. */

import { AudioFlow } from './audio-flow.js';
import { LABEL } from './frame.js';
import { QualitySampler } from './quality.js';

/** @import {Encryption} from './encryption.js' */
/** @import {Wire} from './key-exchange.js' */
/** @import {MediaSession} from './media-session.js' */
/** @import {Quality} from './quality.js' */
/** @import {RoomView} from './wire.js' */
/** @typedef {'connected' | 'first-frame' | 'reconnecting' | 'failed' | 'encryption-stopped' | 'audio-silent' | 'device-lost'} Happening */

const SAMPLE_EVERY_MS = 2_000;
const SAMPLES_PER_REPORT = 5;

/** Events: `quality` and `audioflow`, with the details that README.md lists. */
export class Diagnostics extends EventTarget {
  #wire;
  #encryption;
  #media;
  #me;
  #flow;
  /** @type {RoomView | null} */
  #room = null;
  /** @type {QualitySampler | null} */
  #sampler = null;
  /** @type {Quality | null} */
  #last = null;
  #samples = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /** @param {Wire} wire @param {Encryption} encryption @param {MediaSession} media @param {string} me */
  constructor(wire, encryption, media, me) {
    super();
    this.#wire = wire;
    this.#encryption = encryption;
    this.#media = media;
    this.#me = me;
    this.#flow = new AudioFlow((participant, flowing) => {
      this.dispatchEvent(new CustomEvent('audioflow', { detail: { participant, flowing } }));
      if (!flowing) this.report('audio-silent');
    });
  }

  /** @param {RoomView} room */
  update(room) {
    this.#room = room;
  }

  /** There is another peer connection. */
  follow() {
    const { connection } = this.#media;
    this.#sampler = connection ? new QualitySampler(connection) : null;
    this.#timer ??= setInterval(() => this.#sample().catch(() => undefined), SAMPLE_EVERY_MS);
  }

  /** Hand in a sample, saying what happened. @param {Happening | null} event */
  report(event) {
    const last = this.#last;
    const body = {
      at: 0,
      candidate: last?.candidate ?? 'unknown',
      transport: last?.transport ?? 'unknown',
      rtt_ms: last?.rtt_ms ?? null,
      loss_permille: last?.loss_permille ?? null,
      sent_kbps: last?.sent_kbps ?? null,
      received_kbps: last?.received_kbps ?? null,
      event,
    };
    this.#wire.request('report', body).catch(() => undefined);
  }

  close() {
    clearInterval(this.#timer);
  }

  async #sample() {
    const { connection } = this.#media;
    if (!this.#sampler || connection?.state !== 'connected') return;
    const [quality, { sent, received }] = await Promise.all([this.#sampler.sample(), this.#encryption.counts()]);
    this.#last = quality;
    const slots = new Map(this.#media.slots.map(({ slot, participant }) => [String(slot), participant]));
    const levels = Object.fromEntries(
      Object.entries(quality.slot_levels).flatMap(([slot, level]) => {
        const participant = slots.get(slot);
        return participant === undefined ? [] : [[participant, level]];
      }),
    );
    this.dispatchEvent(new CustomEvent('quality', { detail: { ...quality, levels } }));
    const own = connection.senders.get('microphone');
    this.#listen(received, (own && sent[own.id]?.encrypted) ?? 0);
    this.#samples += 1;
    if (this.#samples % SAMPLES_PER_REPORT === 0) this.report(null);
  }

  /** @param {Record<string, number[]>} received @param {number} own encrypted audio frames of our own microphone */
  #listen(received, own) {
    const room = this.#room;
    if (!room) return;
    const others = room.others.filter(({ state }) => state === 'admitted');
    const people = new Map(
      others.map(({ participant, connected, media, indicators }) => [
        participant,
        {
          frames: received[participant]?.[LABEL.microphone] ?? 0,
          expected: connected && media === 'connected' && indicators.microphone,
        },
      ]),
    );
    // Without anybody else there are no keys, and nothing is encrypted or sent.
    people.set(this.#me, { frames: own, expected: room.me.indicators.microphone && others.length > 0 });
    this.#flow.update(people);
  }
}
