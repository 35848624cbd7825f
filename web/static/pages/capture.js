/**
 * The camera and microphone of this person. Nothing is opened before `start()` or `turnOn()`, which follow a click.
 *
 * Event `change`: something of `microphone`, `camera`, `muted`, `problem` changed; read them again.
 */

/** @typedef {'microphone' | 'camera'} Kind */
/** @typedef {'denied' | 'busy' | 'missing' | 'insecure'} Problem */

const KEPT = 'av';
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };

/** @param {unknown} error @returns {Problem} */
function problemOf(error) {
  const name = error instanceof DOMException || error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  return name === 'TypeError' ? 'insecure' : 'busy';
}

/** @returns {Record<string, string>} the devices this person chose before, by kind */
function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? '{}');
    return typeof kept === 'object' && kept ? kept : {};
  } catch {
    return {};
  }
}

export class Capture extends EventTarget {
  /** @type {MediaStreamTrack | null} */ microphone = null;
  /** @type {MediaStreamTrack | null} */ camera = null;
  /** By the person's own wish. */
  off = { microphone: false, camera: false };
  /** @type {{microphone: Problem | null, camera: Problem | null}} */
  problem = { microphone: null, camera: null };
  /** The system took the device away for a while (a phone call). */
  interrupted = false;
  started = false;
  /** Device ids by `microphone`, `camera`, `speaker`. */
  chosen = remembered();

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener('devicechange', () => this.#changed());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible' && this.interrupted) this.reacquire();
    });
  }

  /** Open both, in one question to the person; what cannot be opened has its `problem`. Never rejects. */
  async start() {
    this.started = true;
    try {
      this.#keep(await this.#ask({ microphone: true, camera: !this.off.camera }));
    } catch (error) {
      const first = problemOf(error);
      this.problem.camera = first;
      await this.#openOne('microphone');
      if (first !== 'denied' && !this.off.camera) await this.#openOne('camera');
    }
    this.#changed();
  }

  /** Open again what has a problem, after the person did something about it. */
  async retry() {
    if (this.problem.microphone && this.problem.camera) return this.start();
    for (const kind of /** @type {Kind[]} */ (['microphone', 'camera'])) {
      if (this.problem[kind]) await this.#openOne(kind);
    }
    this.#changed();
  }

  /** Open both anew, after an interruption. */
  async reacquire() {
    this.interrupted = false;
    this.#stop('microphone');
    this.#stop('camera');
    await this.start();
    if (this.microphone) this.microphone.enabled = !this.off.microphone;
  }

  /** Mute by silence, so that unmuting is instant; the camera is really closed. @param {Kind} kind */
  turnOff(kind) {
    this.off[kind] = true;
    if (kind === 'camera') this.#stop('camera');
    else if (this.microphone) this.microphone.enabled = false;
    this.#changed();
  }

  /** @param {Kind} kind */
  async turnOn(kind) {
    this.off[kind] = false;
    if (kind === 'microphone' && this.microphone) this.microphone.enabled = true;
    else await this.#openOne(kind);
    this.#changed();
  }

  /** Use another device from now on and at the next visit. @param {Kind | 'speaker'} kind @param {string} id */
  async choose(kind, id) {
    this.chosen = { ...this.chosen, [kind]: id };
    try {
      localStorage.setItem(KEPT, JSON.stringify(this.chosen));
    } catch {
      // Storage is off: the choice holds for this visit.
    }
    if (kind !== 'speaker' && !(kind === 'camera' && this.off.camera)) await this.#openOne(kind);
    this.#changed();
  }

  /** Close everything. */
  stop() {
    this.started = false;
    this.#stop('microphone');
    this.#stop('camera');
    this.#changed();
  }

  /** @returns {Promise<{microphone: MediaDeviceInfo[], camera: MediaDeviceInfo[], speaker: MediaDeviceInfo[]}>} */
  async devices() {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const of = (/** @type {string} */ kind) => all.filter((device) => device.kind === kind && device.deviceId);
    return { microphone: of('audioinput'), camera: of('videoinput'), speaker: of('audiooutput') };
  }

  /** @param {{microphone?: boolean, camera?: boolean}} what */
  #ask({ microphone = false, camera = false }) {
    const { microphone: mic, camera: cam } = this.chosen;
    return navigator.mediaDevices.getUserMedia({
      audio: microphone && { ...AUDIO, ...(mic ? { deviceId: { ideal: mic } } : {}) },
      video: camera && { ...VIDEO, ...(cam ? { deviceId: { ideal: cam } } : { facingMode: 'user' }) },
    });
  }

  /** @param {Kind} kind */
  async #openOne(kind) {
    // Phones refuse a second camera while the first is open.
    if (kind === 'camera') this.#stop('camera');
    try {
      this.#keep(await this.#ask({ [kind]: true }));
    } catch (error) {
      this.problem[kind] = problemOf(error);
    }
  }

  /** @param {MediaStream} stream */
  #keep(stream) {
    for (const track of stream.getTracks()) {
      const kind = track.kind === 'audio' ? 'microphone' : 'camera';
      this.#stop(kind);
      this[kind] = track;
      this.problem[kind] = null;
      if (kind === 'microphone') track.enabled = !this.off.microphone;
      track.addEventListener('ended', () => this.#lost(kind, track));
      track.addEventListener('mute', () => this.#silenced(track));
      track.addEventListener('unmute', () => this.#silenced(track));
    }
  }

  /** A device was pulled out, or its permission: take another one if there is. @param {Kind} kind @param {MediaStreamTrack} track */
  async #lost(kind, track) {
    if (this[kind] !== track) return;
    this[kind] = null;
    await this.#openOne(kind);
    this.#changed();
  }

  /** @param {MediaStreamTrack} track */
  #silenced(track) {
    if (track !== this.microphone && track !== this.camera) return;
    window.setTimeout(() => {
      this.interrupted = Boolean(this.microphone?.muted || this.camera?.muted);
      this.#changed();
    }, 1500);
  }

  /** @param {Kind} kind */
  #stop(kind) {
    const track = this[kind];
    this[kind] = null;
    track?.stop();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
