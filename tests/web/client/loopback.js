/**
 * A consult with a person who lives in the same page: the product's own client on one side, and on the other its key
 * exchange and its encryption behind a peer connection that answers as the relay does. No server.
 */

import { Consult } from '/static/client/consult.js';
import { Encryption } from '/static/client/encryption.js';
import { WireError } from '/static/client/errors.js';
import { KeyExchange } from '/static/client/key-exchange.js';

export { until } from './until.js';

const APPOINTMENT = 'loopback';
const ALONE_EPOCH = 1;

/** What every party calls the server. */
class Line extends EventTarget {
  connected = true;
  listeners = new Map();

  constructor(answer) {
    super();
    this.answer = answer;
  }

  async request(event, body = {}) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (!this.connected) throw new WireError('offline', 'user', '');
    return structuredClone((await this.answer(event, structuredClone(body))) ?? {});
  }

  on(event, listener) {
    const all = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, all.add(listener));
    return () => all.delete(listener);
  }

  say(event, body) {
    for (const listener of this.listeners.get(event) ?? []) listener(structuredClone(body));
  }

  close() {}
}

/** The server and the other person. */
export class World {
  constructor({ secretsPass = true, tamper = null } = {}) {
    this.version = 1;
    this.epoch = ALONE_EPOCH;
    this.fence = 1;
    this.ready = true;
    this.secretsPass = secretsPass;
    this.tamper = tamper;
    this.log = [];
    this.seen = { encrypted: 0, plain: 0 };
    this.line = new Line((event, body) => this.fromConsult(event, body));
    this.otherLine = new Line((event, body) => this.fromOther(event, body));
    this.consult = new Consult({ role: 'practitioner', appointment: APPOINTMENT, signaling: this.line });
    this.me = this.consult.participant;
    this.other = { participant: 'zz-other', role: 'patient' };
    this.encryption = new Encryption();
    this.keys = new KeyExchange(this.otherLine, this.other.participant, this.encryption);
    this.inside = false;
    this.told = { microphone: false, camera: false, screen: false };
    this.indicators = { microphone: true, camera: true, screen: false };
  }

  views() {
    const person = (participant, role, indicators) => ({
      participant, role, state: 'admitted', connected: true, media: 'connected', indicators,
    });
    const me = person(this.me, 'practitioner', this.told);
    const other = person(this.other.participant, this.other.role, this.indicators);
    const members = [other, me].map(({ participant, role }) => ({ participant, role }));
    const keys = this.inside ? { epoch: this.epoch, members } : null;
    const media = { fence: this.fence, ready: this.ready, slots: 1, ice_servers: [] };
    const shared = { version: this.version, appointment: APPOINTMENT, media, keys, resume: 'ticket' };
    return {
      mine: { ...shared, me, others: this.inside ? [other] : [] },
      theirs: { ...shared, me: other, others: [me] },
    };
  }

  changed() {
    this.version += 1;
    this.line.say('room', this.views().mine);
    if (this.inside) this.keys.update(this.views().theirs);
  }

  enter() {
    this.inside = true;
    this.epoch += 1;
    this.changed();
  }

  rekey() {
    this.epoch += 1;
    this.changed();
  }

  async fromConsult(event, body) {
    this.log.push([event, body]);
    if (event === 'arrive') return this.views().mine;
    if (event === 'indicate') this.told = body;
    if (event === 'offer') return this.answer(body);
    if (event.startsWith('key-') && event !== 'key-restart' && this.secretsPass) {
      this.otherLine.say(event, { ...body, sender: this.me });
    }
    if (event === 'key-restart' && body.epoch === this.epoch) this.rekey();
    if (event === 'chat') this.chat = body;
    return {};
  }

  async fromOther(event, body) {
    const forged = this.tamper?.(event, body) ?? body;
    if (event.startsWith('key-') && event !== 'key-restart' && this.secretsPass) {
      this.line.say(event, { ...forged, sender: this.other.participant });
    }
    return {};
  }

  /** Answer as the relay: receive what the consult sends, send the other's camera and sound into its first slot. */
  async answer({ fence, sdp }) {
    const client = /a=fingerprint:(.*)/.exec(sdp)[1];
    if (this.relay?.client !== client) {
      this.relay?.pc.close();
      this.relay = { client, pc: await this.relayed() };
    }
    const { pc } = this.relay;
    await pc.setRemoteDescription({ type: 'offer', sdp });
    await pc.setLocalDescription();
    await gathered(pc);
    return { fence, sdp: pc.localDescription.sdp, version: 1, slots: this.slots() };
  }

  slots() {
    return this.inside ? [{ slot: 0, participant: this.other.participant }] : [];
  }

  /** Tracks that are added, and only those, become the answerer's end of the offer's receive-only lines, in order. */
  async relayed() {
    const [sound, picture] = [await this.track('audio'), await this.track('video')];
    const pc = new RTCPeerConnection();
    pc.addEventListener('track', ({ receiver }) => { receiver.transform = this.inspector(); });
    pc.addTrack(sound).transform = this.encryption.sending('microphone').transform;
    pc.addTrack(picture).transform = this.encryption.sending('camera').transform;
    return pc;
  }

  /** Looks at every frame that reached the relay. */
  inspector() {
    this.inspectorWorker ??= new Worker('/test/inspector.js', { type: 'module' });
    this.inspectorWorker.onmessage = ({ data }) => { this.seen[data] += 1; };
    return new RTCRtpScriptTransform(this.inspectorWorker, {});
  }

  async track(kind) {
    const media = await navigator.mediaDevices.getUserMedia({ audio: kind === 'audio', video: kind === 'video' });
    return media.getTracks()[0];
  }
}

async function gathered(pc) {
  while (pc.iceGatheringState !== 'complete') await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A consult with the other person inside, their devices on. */
export async function begin(world) {
  world.consult.prepare();
  await devices(world.consult);
  world.inside = true;
  world.epoch += 1;
  world.keys.update(world.views().theirs);
  await world.consult.arrive();
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function devices(consult) {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
  await Promise.all([consult.setMicrophone(media.getAudioTracks()[0]), consult.setCamera(media.getVideoTracks()[0])]);
  return media;
}

/** Frames of the other person's camera that the consult's browser decoded. */
export async function decoded(world) {
  let frames = 0;
  for (const pc of window.peerConnections) {
    if (pc.connectionState === 'closed' || pc === world.relay?.pc) continue;
    for (const report of (await pc.getStats()).values()) frames += report.framesDecoded ?? 0;
  }
  return frames;
}

/** Assign transforms of the consult's senders one task too late. */
export function late(kind) {
  const { set } = Object.getOwnPropertyDescriptor(RTCRtpSender.prototype, 'transform');
  const native = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (what, options) {
    const transceiver = native.call(this, what, options);
    if (what === kind && options.direction === 'sendonly') {
      Object.defineProperty(transceiver.sender, 'transform', {
        set(transform) { setTimeout(() => set.call(transceiver.sender, transform), 50); },
      });
    }
    return transceiver;
  };
}

export async function frames(sender) {
  let encoded = 0;
  for (const report of (await sender.getStats()).values()) encoded += report.framesEncoded ?? 0;
  return encoded;
}

/** Frames that the consult's browser encoded. */
export async function framesEncoded(world) {
  const live = window.peerConnections.filter((pc) => pc !== world.relay?.pc && pc.connectionState !== 'closed');
  const all = await Promise.all(live.flatMap((pc) => pc.getSenders().map(frames)));
  return all.reduce((sum, count) => sum + count, 0);
}
