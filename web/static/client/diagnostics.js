/** Watches the connection: tells the page every 2 s and hands the server one technical sample every 10 s. */

import { Flow } from './flow.js';
import { LABEL } from './frame.js';
import { QualitySampler } from './quality.js';
import { Reports } from './reports.js';

/** @import {Encryption} from './encryption.js' */
/** @import {Wire} from './key-exchange.js' */
/** @import {MediaSession} from './media-session.js' */
/** @import {Quality} from './quality.js' */
/** @import {RoomView} from './wire.js' */
/** @typedef {'connected' | 'first-frame' | 'first-sound' | 'reconnecting' | 'failed' | 'encryption-stopped' | 'audio-silent' | 'device-lost'} Happening */

const SAMPLE_EVERY_MS = 2_000;
const SAMPLES_PER_REPORT = 5;

/** Events: `quality`, `audioflow` and `pictureflow`, with the details that README.md lists. */
export class Diagnostics extends EventTarget {
  #wire;
  #encryption;
  #media;
  #me;
  #reports;
  #sounds;
  #pictures;
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
    this.#reports = new Reports(wire);
    this.#sounds = new Flow((participant, flowing) => {
      this.#emit('audioflow', { participant, flowing });
      if (!flowing) this.report('audio-silent');
    });
    this.#pictures = new Flow((participant, flowing) => this.#emit('pictureflow', { participant, flowing }));
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

  /** Hand in a sample, saying what happened; that is kept while the line is down. @param {Happening | null} event */
  report(event) {
    const last = this.#last;
    const body = {
      candidate: last?.candidate ?? 'unknown',
      transport: last?.transport ?? 'unknown',
      rtt_ms: last?.rtt_ms ?? null,
      loss_permille: last?.loss_permille ?? null,
      sent_kbps: last?.sent_kbps ?? null,
      received_kbps: last?.received_kbps ?? null,
      event,
    };
    const appointment = this.#room?.appointment;
    if (event !== null && appointment) this.#reports.keep(appointment, body);
    else this.#wire.request('report', { at: 0, ...body }).catch(() => undefined);
  }

  /** The line is back. */
  reconnected() {
    if (this.#room) this.#reports.send(this.#room.appointment);
  }

  close() {
    clearInterval(this.#timer);
  }

  async #sample() {
    const { connection } = this.#media;
    if (!this.#sampler || !connection) return;
    const [quality, { sent, received }] = await Promise.all([this.#sampler.sample(), this.#encryption.counts()]);
    if (connection !== this.#media.connection) return;
    const up = connection.state === 'connected';
    const own = connection.senders.get('microphone');
    this.#listen(received, (own && sent[own.id]?.encrypted) ?? 0, up);
    this.#look(quality.slot_frames);
    if (!up) return;
    this.#last = quality;
    this.#emit('quality', { ...quality, levels: this.#bySlot(quality.slot_levels) });
    this.#samples += 1;
    if (this.#samples % SAMPLES_PER_REPORT) return;
    this.reconnected();
    this.report(null);
  }

  /** Figures of slots as those of the people in them. @param {Record<number, number>} figures @returns {Record<string, number>} */
  #bySlot(figures) {
    const slots = new Map(this.#media.slots.map(({ slot, participant }) => [String(slot), participant]));
    return Object.fromEntries(
      Object.entries(figures).flatMap(([slot, figure]) => {
        const participant = slots.get(slot);
        return participant === undefined ? [] : [[participant, figure]];
      }),
    );
  }

  /**
   * @param {Record<string, number[]>} received
   * @param {number} own encrypted audio frames of our own microphone
   * @param {boolean} up whether the peer connection is
   */
  #listen(received, own, up) {
    const room = this.#room;
    if (!room) return;
    const others = room.others.filter(({ state }) => state === 'admitted');
    const people = new Map(
      others.map(({ participant, connected, media, indicators }) => [
        participant,
        {
          frames: received[participant]?.[LABEL.microphone] ?? 0,
          expected: up && connected && media === 'connected' && indicators.microphone,
        },
      ]),
    );
    // Without anybody else there are no keys, and nothing is encrypted or sent.
    people.set(this.#me, { frames: own, expected: up && room.me.indicators.microphone && others.length > 0 });
    this.#sounds.update(people);
  }

  /** A picture that stands still looks like a silent person, whoever's line it is. @param {Record<number, number>} decoded frames by slot */
  #look(decoded) {
    const frames = this.#bySlot(decoded);
    const shown = (this.#room?.others ?? []).filter(({ state, participant }) => state === 'admitted' && participant in frames);
    this.#pictures.update(
      new Map(
        shown.map(({ participant, indicators }) => [participant, { frames: frames[participant] ?? 0, expected: indicators.camera }]),
      ),
    );
  }

  /** @param {string} type @param {object} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
