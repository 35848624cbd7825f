/** One RTCPeerConnection with the relay: it always offers, the relay always answers. */

/** @import {Encryption} from './encryption.js' */
/** @import {Answer, IceServer, Line, Source} from './wire.js' */

/** Sizes of a camera that is sent in several; `simulcast.js` sets them as soon as the camera is known. */
const RIDS = ['q', 'h', 'f'];

const CAMERA_BITRATE = 2_500_000;
const SCREEN_BITRATE = 2_500_000;
const MICROPHONE_BITRATE = 48_000;
/** A small first picture is encoded, sent and decoded in a third of the time of a large one. */
const FIRST_SCALE = 4;
const FULL_SIZE_AFTER_MS = 800;
export const STAGE = -1;

/** @typedef {{transceiver: RTCRtpTransceiver, id: string}} Sending `id` is the transform's name in the worker's counts */
/** @typedef {{slot: number, audio: RTCRtpTransceiver | null, video: RTCRtpTransceiver, stream: MediaStream}} Place */

/**
 * The peer connection can be built, with its transforms, long before it is used: nothing is sent until `negotiate`.
 * Event: `state` when `state` changed.
 */
export class MediaConnection extends EventTarget {
  /** @type {Map<Source, Sending>} */
  senders = new Map();
  /** @type {Place[]} slots in order, then the stage */
  places = [];
  pc;
  slots;
  simulcast;

  #encryption;
  /** @type {Promise<unknown>} */
  #negotiation = Promise.resolve();
  /** @type {string | null} */
  #fingerprint = null;
  /** @type {Promise<RTCSessionDescriptionInit> | null} the first offer, made ahead of time */
  #prepared = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #growth;

  /**
   * @param {Encryption} encryption
   * @param {number} slots receive-only pairs before the one stage line
   * @param {boolean} [simulcast] whether the camera is sent in three sizes
   */
  constructor(encryption, slots, simulcast = false) {
    super();
    this.slots = slots;
    this.simulcast = simulcast;
    this.#encryption = encryption;
    this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.pc.addEventListener('connectionstatechange', () => this.#onState());
    this.#addSender('microphone');
    this.#addSender('camera');
    for (let slot = 0; slot < slots; slot += 1) this.#addPlace(slot);
    this.#addPlace(STAGE);
  }

  /** @returns {RTCPeerConnectionState} */
  get state() {
    return this.pc.connectionState;
  }

  /** @param {IceServer[]} servers used from the next offer on */
  setIceServers(servers) {
    const iceServers = servers.map(({ urls, username, credential }) => ({
      urls,
      username: username ?? undefined,
      credential: credential ?? undefined,
    }));
    this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers });
  }

  /** Make the first offer now; it stays here until `negotiate`. */
  prepare() {
    this.#prepared ??= this.pc.createOffer();
  }

  /**
   * Attach a device, or take it away. A screen that never was needs `negotiate` afterwards.
   * @param {Source} source
   * @param {MediaStreamTrack | null} track
   * @returns {Promise<boolean>} whether a new offer is needed
   */
  async setTrack(source, track) {
    const isNew = !this.senders.has(source);
    if (isNew && track === null) return false;
    if (isNew) this.#addSender(source);
    await this.#sending(source).transceiver.sender.replaceTrack(track);
    if (source === 'camera' && track) await this.#fit();
    return isNew;
  }

  /** Send nothing of this source any more. @param {Source} source */
  async silence(source) {
    const sender = this.senders.get(source)?.transceiver.sender;
    if (!sender) return;
    await sender.replaceTrack(null);
    // Without a track Firefox goes on with one black frame a second.
    const parameters = sender.getParameters();
    for (const encoding of parameters.encodings) encoding.active = false;
    await sender.setParameters(parameters);
  }

  /**
   * One offer and its answer; calls queue up.
   * @param {(offer: {sdp: string, lines: Line[]}) => Promise<Answer>} exchange
   * @param {{restart?: boolean}} [options] restart: new ICE credentials
   * @returns {Promise<Answer>}
   * @throws {Moved} if another relay answered: this connection cannot go on, make a new one
   */
  negotiate(exchange, { restart = false } = {}) {
    const turn = this.#negotiation.then(() => this.#negotiate(exchange, restart));
    this.#negotiation = turn.catch(() => undefined);
    return turn;
  }

  close() {
    clearTimeout(this.#growth);
    for (const { id } of this.senders.values()) this.#encryption.forget(id).catch(() => undefined);
    this.pc.close();
  }

  #onState() {
    if (this.state === 'connected') this.#growth ??= setTimeout(() => this.#grow(), FULL_SIZE_AFTER_MS);
    this.dispatchEvent(new Event('state'));
  }

  /** Of several sizes, those that this camera is good for. */
  async #fit() {
    if (this.simulcast) await (await import('./simulcast.js')).fit(this.#sending('camera').transceiver.sender);
  }

  /** From here on the browser itself chooses the size that the line carries. */
  async #grow() {
    if (this.simulcast) return;
    const { sender } = this.#sending('camera').transceiver;
    const parameters = sender.getParameters();
    for (const encoding of parameters.encodings) encoding.scaleResolutionDownBy = 1;
    await sender.setParameters(parameters).catch(() => undefined);
  }

  /**
   * @param {(offer: {sdp: string, lines: Line[]}) => Promise<Answer>} exchange
   * @param {boolean} restart
   */
  async #negotiate(exchange, restart) {
    const offer = await (this.#prepared ?? this.pc.createOffer({ iceRestart: restart }));
    this.#prepared = null;
    await this.pc.setLocalDescription(offer);
    const answer = await exchange({ sdp: withoutAddresses(offer.sdp ?? ''), lines: this.#lines() });
    const fingerprint = /^a=fingerprint:(.*)$/m.exec(answer.sdp)?.[1]?.trim() ?? null;
    if (this.#fingerprint !== null && fingerprint !== this.#fingerprint) throw new Moved();
    this.#fingerprint = fingerprint;
    await this.pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    return answer;
  }

  /** @param {Source} source */
  #addSender(source) {
    this.#prepared = null;
    const kind = source === 'microphone' ? 'audio' : 'video';
    const { id, transform } = this.#encryption.sending(source);
    const transceiver = this.pc.addTransceiver(kind, { direction: 'sendonly', sendEncodings: this.#encodings(source) });
    transceiver.sender.transform = transform;
    preferCodecs(transceiver, kind, RTCRtpSender);
    this.senders.set(source, { transceiver, id });
  }

  /** @param {Source} source @returns {RTCRtpEncodingParameters[]} */
  #encodings(source) {
    if (source === 'camera' && this.simulcast) return RIDS.map((rid, at) => ({ rid, scaleResolutionDownBy: 4 / 2 ** at }));
    return [encoding(source)];
  }

  /** @param {number} slot */
  #addPlace(slot) {
    const audio = slot === STAGE ? null : this.#addReceiver(slot, 'audio');
    const video = this.#addReceiver(slot, 'video');
    const tracks = audio ? [audio.receiver.track, video.receiver.track] : [video.receiver.track];
    this.places.push({ slot, audio, video, stream: new MediaStream(tracks) });
  }

  /** @param {number} slot @param {'audio' | 'video'} kind */
  #addReceiver(slot, kind) {
    const transform = this.#encryption.receiving(slot, kind);
    const transceiver = this.pc.addTransceiver(kind, { direction: 'recvonly' });
    transceiver.receiver.transform = transform;
    preferCodecs(transceiver, kind, RTCRtpReceiver);
    return transceiver;
  }

  /** @param {Source} source @returns {Sending} */
  #sending(source) {
    return /** @type {Sending} */ (this.senders.get(source));
  }

  /** What each m-line is for, in their order. @returns {Line[]} */
  #lines() {
    /** @type {Map<RTCRtpTransceiver, Omit<Line, 'mid'>>} */
    const uses = new Map();
    for (const [source, { transceiver }] of this.senders) uses.set(transceiver, { use: source });
    for (const { slot, audio, video } of this.places) {
      /** @type {Omit<Line, 'mid'>} */
      const use = slot === STAGE ? { use: 'stage' } : { use: 'slot', slot };
      if (audio) uses.set(audio, use);
      uses.set(video, use);
    }
    return this.pc
      .getTransceivers()
      .flatMap((transceiver) => {
        const use = uses.get(transceiver);
        return use && transceiver.mid !== null ? [{ mid: transceiver.mid, ...use }] : [];
      });
  }
}

/** The answer came from another relay than before. */
export class Moved extends Error {}

/** @param {Source} source @returns {RTCRtpEncodingParameters} */
function encoding(source) {
  if (source === 'microphone') return { maxBitrate: MICROPHONE_BITRATE, priority: 'high', networkPriority: 'high' };
  if (source === 'camera') return { maxBitrate: CAMERA_BITRATE, scaleResolutionDownBy: FIRST_SCALE };
  return { maxBitrate: SCREEN_BITRATE, maxFramerate: 15 };
}

/**
 * VP8 with its RTX, and Opus without RED: whole-frame encryption breaks H.264 and AV1 in Chromium, and RED would put frames of
 * several counters into one packet.
 * @param {RTCRtpTransceiver} transceiver
 * @param {'audio' | 'video'} kind
 * @param {{getCapabilities(kind: string): RTCRtpCapabilities | null}} side
 */
function preferCodecs(transceiver, kind, side) {
  const wanted = kind === 'audio' ? ['audio/opus'] : ['video/vp8', 'video/rtx'];
  const codecs = side.getCapabilities(kind)?.codecs.filter(({ mimeType }) => wanted.includes(mimeType.toLowerCase()));
  if (codecs?.length) transceiver.setCodecPreferences?.(codecs);
}

/**
 * The relay ignores remote candidates, so it gets none: an address in an offer would tell it more than it needs.
 * @param {string} sdp
 */
function withoutAddresses(sdp) {
  return sdp
    .replace(/^a=(candidate:.*|end-of-candidates)\r?\n/gm, '')
    .replace(/^a=rtcp:\d+ IN IP[46] .*\r?\n/gm, '')
    .replace(/^c=IN IP[46] .*$/gm, 'c=IN IP4 0.0.0.0')
    .replace(/^(m=(?:audio|video)) \d+ /gm, '$1 9 ');
}
