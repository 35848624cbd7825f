/** What people share once they are in: keys, media, chat, and the watch over them, wired together. */

import { Chat } from './chat.js';
import { Diagnostics } from './diagnostics.js';
import { Encryption } from './encryption.js';
import { Guard } from './guard.js';
import { KeyExchange } from './key-exchange.js';
import { MediaSession } from './media-session.js';
import { Tracks } from './tracks.js';

/** @import {Happening} from './diagnostics.js' */
/** @import {Group} from './group.js' */
/** @import {Wire} from './key-exchange.js' */
/** @import {Role, RoomView, Source} from './wire.js' */

/**
 * Events: `change` (anything that `inTouchWith`, `media.state` or `code` depend on), `tampering`, `broken`, and, with their details,
 * `code`, `tracks`, `chat`, `quality`, `audioflow`, `pictureflow`, `unencrypted`, `group`.
 */
export class Conversation extends EventTarget {
  /** What only consults of more than two need. @type {Group | null} */
  group = null;

  #wire;
  #encryption;
  #keys;
  #media;
  #chat;
  #guard;
  #tracks;
  #diagnostics;
  #stop;
  /** @type {RoomView | null} */
  #room = null;
  /** @type {Set<string>} those of whom a frame was decrypted on this peer connection */
  #flowing = new Set();
  /** What of the others came at all: `first-frame`, `first-sound`. */
  #came = new Set();
  /** @type {Set<string>} those who had keys before, and so the chat */
  #acquainted = new Set();
  #closed = false;

  /** @param {Wire} wire @param {{participant: string, role: Role}} me @param {string | URL} [workerUrl] */
  constructor(wire, me, workerUrl) {
    super();
    this.#wire = wire;
    this.#encryption = new Encryption(workerUrl);
    this.#keys = new KeyExchange(wire, me.participant, this.#encryption);
    this.#media = new MediaSession(wire, this.#encryption);
    this.#chat = new Chat(wire, this.#encryption, me, (participant) => this.#roleOf(participant));
    this.#guard = new Guard(this.#encryption, this.#media, (source) => this.#unencrypted(source, 'guard'));
    this.#tracks = new Tracks(this.#media, (detail) => this.#emit('tracks', detail));
    this.#diagnostics = new Diagnostics(wire, this.#encryption, this.#media, me.participant);
    this.#stop = wire.on('unencrypted', ({ source }) => {
      this.#media.stop(source).catch(() => undefined);
      this.#unencrypted(source, 'relay');
    });
    this.#connect();
  }

  get comparison() {
    return this.#keys.comparison;
  }

  get people() {
    return this.#keys.people;
  }

  /** Whether somebody has another version of the encryption. */
  get outdated() {
    return this.#keys.outdated;
  }

  /** The person says to have compared the digits. */
  compared() {
    this.#keys.compared();
  }

  get chatLog() {
    return this.#chat.log;
  }

  get slots() {
    return this.#media.slots;
  }

  get mediaState() {
    return this.#media.state;
  }

  /** Whether this person's frames arrive and can be read. @param {string} participant */
  inTouchWith(participant) {
    return this.#keys.holders.has(participant) && this.#flowing.has(participant);
  }

  /** Whether this person's keys are in place. @param {string} participant */
  hasKeysOf(participant) {
    return this.#keys.holders.has(participant);
  }

  /** @param {number} people that may be in */
  prepare(people) {
    this.#media.prepare(people - 1, people > 2);
  }

  /** @param {RoomView} room */
  update(room) {
    this.#room = room;
    this.#keys.update(room);
    this.#media.update(room.media);
    this.#diagnostics.update(room);
    this.group?.update(room);
    const { capacity = 2 } = room;
    if (capacity <= 2) return;
    if (room.media === null) this.prepare(capacity);
    this.gather().catch(() => undefined);
  }

  /** Load what groups have. @returns {Promise<Group | null>} null if it is over meanwhile */
  async gather() {
    const { Group } = await import('./group.js');
    if (this.group || this.#closed || !this.#room) return this.group;
    const parts = { wire: this.#wire, media: this.#media, chat: this.#chat };
    this.group = new Group(parts, (participant) => this.inTouchWith(participant));
    this.group.update(this.#room);
    this.#emit('group');
    return this.group;
  }

  /** The socket was lost and is back. */
  reconnected() {
    this.#keys.reconnected();
    this.#media.reconnected();
    this.#diagnostics.reconnected();
    this.group?.reconnected();
  }

  /** Something that was sent to us while we were away is gone. */
  missed() {
    this.reconnected();
    if (!this.#room?.barred?.includes('chat')) this.#chat.ask();
  }

  /** @param {Source} source @param {MediaStreamTrack | null} track */
  async setTrack(source, track) {
    await this.#media.setTrack(source, track);
    this.group?.hear();
    if (track !== null) this.#guard.alert();
  }

  /** @param {string} text */
  sendChat(text) {
    return this.#chat.send(text);
  }

  /** @param {Happening} happening */
  report(happening) {
    this.#diagnostics.report(happening);
  }

  close() {
    this.#closed = true;
    this.#stop();
    this.group?.close();
    const parts = [this.#diagnostics, this.#guard, this.#chat, this.#keys, this.#media, this.#encryption];
    for (const part of parts) part.close();
  }

  #connect() {
    const change = () => this.#emit('change');
    on(this.#encryption, 'first', ({ participant, source }) => {
      const first = source === 'camera' ? 'first-frame' : source === 'microphone' ? 'first-sound' : null;
      if (first && !this.#came.has(first)) this.report(first);
      this.#came.add(first);
      this.#flowing.add(participant);
      change();
    });
    on(this.#encryption, 'keyframe', (wanted) => {
      this.#wire.request('keyframe', wanted).catch(() => undefined);
    });
    on(this.#encryption, 'broken', () => this.#emit('broken'));
    on(this.#keys, 'change', () => {
      const { code, again, withheld } = this.comparison;
      this.#emit('code', { code, people: this.people, again, withheld });
      change();
    });
    on(this.#keys, 'complete', () => {
      this.#shareChat();
      this.group?.acquaint();
    });
    on(this.#keys, 'tampering', () => {
      this.#encryption.disown().catch(() => undefined);
      this.#emit('tampering');
    });
    on(this.#media, 'connection', () => {
      this.#flowing.clear();
      this.#encryption.listen().catch(() => undefined);
      this.#guard.alert();
      this.#diagnostics.follow();
    });
    on(this.#media, 'slots', () => this.#tracks.update());
    on(this.#media, 'state', change);
    on(this.#chat, 'chat', (detail) => this.#emit('chat', detail));
    for (const name of ['quality', 'audioflow', 'pictureflow']) on(this.#diagnostics, name, (detail) => this.#emit(name, detail));
  }

  /** Whoever was reloaded lost the chat. An empty log is sent too: it ends the time in which one is taken. */
  async #shareChat() {
    if (this.#room?.barred?.includes('chat')) return;
    const { holders } = this.#keys;
    const newcomers = [...holders].filter((participant) => !this.#acquainted.has(participant));
    this.#acquainted = new Set(holders);
    this.#chat.joined(holders);
    for (const newcomer of newcomers) await this.#chat.resend(newcomer).catch(() => undefined);
  }

  /** @param {Source} source @param {'guard' | 'relay'} by */
  #unencrypted(source, by) {
    this.report('encryption-stopped');
    this.#emit('unencrypted', { source, by });
  }

  /** @param {string} participant @returns {Role | null} */
  #roleOf(participant) {
    return this.#room?.others.find((other) => other.participant === participant)?.role ?? null;
  }

  /** @param {string} type @param {unknown} [detail] */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @param {EventTarget} target @param {string} type @param {(detail: any) => void} listener */
function on(target, type, listener) {
  target.addEventListener(type, (event) => listener(event instanceof CustomEvent ? event.detail : undefined));
}
