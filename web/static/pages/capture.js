import { Custody, Over } from './custody.js';

/**
 * The camera, microphone and screen of this person. Nothing is opened before `start()`, which follows a click, nor after `stop()`:
 * what the browser or the person answers then is stopped at once.
 *
 * Event `change`: something of `microphone`, `camera`, `screen`, `off`, `problem`, `refused`, `interrupted` changed; read them again.
 */

/** @typedef {'microphone' | 'camera'} Kind */
/** @typedef {'denied' | 'busy' | 'missing' | 'insecure'} Problem */

const KEPT = 'av';
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const SCREEN = { video: { frameRate: { max: 15 } }, audio: false };
const KINDS = /** @type {Kind[]} */ (['microphone', 'camera']);
/** A machine with more devices than these has a person who knows how to choose one. */
const MOST_OTHERS = 4;
/** Shorter silences are a device that changes hands. */
const SILENCED_MS = 1500;

export const canShare = () => 'getDisplayMedia' in (navigator.mediaDevices ?? {});

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

/** What the browser says of its permission, where it says anything. @param {Kind} kind @returns {Promise<PermissionState | null>} */
async function permission(kind) {
  try {
    return (await navigator.permissions.query({ name: /** @type {PermissionName} */ (kind) })).state;
  } catch {
    return null;
  }
}

export class Capture extends EventTarget {
  /** @type {MediaStreamTrack | null} */ microphone = null;
  /** @type {MediaStreamTrack | null} */ camera = null;
  /** @type {MediaStreamTrack | null} */ screen = null;
  /** By the person's own wish. */
  off = { microphone: false, camera: false };
  /** @type {{microphone: Problem | null, camera: Problem | null}} */
  problem = { microphone: null, camera: null };
  /** A device that was chosen and could not be had; the one before goes on. @type {{kind: Kind, problem: Problem} | null} */
  refused = null;
  /** The system took the device away for a while (a phone call). */
  interrupted = false;
  /** Device ids by `microphone`, `camera`, `speaker`. */
  chosen = remembered();

  #custody = new Custody();
  /** The newest question by kind: the answer to an older one is stopped. */
  #asked = { microphone: 0, camera: 0, screen: 0 };
  /** @type {Record<Kind, Promise<void> | null>} */ #opening = { microphone: null, camera: null };

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener('devicechange', () => this.#changed());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible' && this.interrupted) this.reacquire();
    });
  }

  get started() {
    return this.#custody.begun;
  }

  /** Open both, in one question to the person; what cannot be opened has its `problem`. Never rejects. */
  async start() {
    this.#custody.begin();
    await this.#while(() => this.#openBoth());
  }

  /** Open again what has a problem, after the person did something about it. */
  async retry() {
    await this.#while(async () => {
      if (this.problem.microphone && this.problem.camera) return this.#openBoth();
      for (const kind of KINDS) if (this.problem[kind]) await this.#openOne(kind);
    });
  }

  /** Open both anew, after an interruption. */
  async reacquire() {
    this.interrupted = false;
    for (const kind of KINDS) this.#stop(kind);
    await this.#while(() => this.#openBoth());
  }

  /** Mute by silence, so that unmuting is instant; the camera is really closed. @param {Kind} kind */
  turnOff(kind) {
    this.off[kind] = true;
    if (kind === 'camera') this.#stop('camera');
    else if (this.microphone) this.microphone.enabled = false;
    this.#changed();
  }

  /** Pressing again while it opens asks nothing more. @param {Kind} kind */
  async turnOn(kind) {
    const wasOff = this.off[kind];
    this.off[kind] = false;
    if (kind === 'microphone' && this.microphone) {
      this.microphone.enabled = true;
      return this.#changed();
    }
    if (!wasOff && this.#opening[kind]) return this.#opening[kind]?.catch(() => {});
    await this.#while(() => this.#openOne(kind));
  }

  /** Use another device from now on and at the next visit, if it can be had. @param {Kind | 'speaker'} kind @param {string} id */
  async choose(kind, id) {
    this.refused = null;
    const now = kind !== 'speaker' && this.started && !(kind === 'camera' && this.off.camera);
    if (!now) this.#remember(kind, id);
    else await this.#while(() => this.#change(kind, id));
    this.#changed();
  }

  /** Ask which screen to share and share it; while the browser's picker is open, or a screen is shared, nothing more. */
  async share() {
    if (this.screen) return;
    const turn = ++this.#asked.screen;
    await this.#while(async () => {
      const [track] = await this.#custody.pick(SCREEN).catch((error) => {
        if (error instanceof Over) throw error;
        return [];
      });
      if (!track) return;
      if (turn !== this.#asked.screen) return this.#custody.release(track);
      // Text has to stay sharp; a slide that moves may move less smoothly.
      track.contentHint = 'detail';
      track.addEventListener('ended', () => this.screen === track && this.unshare());
      this.screen = track;
    });
  }

  /** Share no screen, and none that is being chosen. */
  unshare() {
    const shared = this.screen !== null;
    this.#stop('screen');
    if (shared) this.#changed();
  }

  /** Close everything. */
  stop() {
    for (const kind of /** @type {const} */ (['microphone', 'camera', 'screen'])) this.#stop(kind);
    this.#custody.end();
    this.interrupted = false;
    this.refused = null;
    this.problem = { microphone: null, camera: null };
    this.#changed();
  }

  /** @returns {Promise<{microphone: MediaDeviceInfo[], camera: MediaDeviceInfo[], speaker: MediaDeviceInfo[]}>} */
  async devices() {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const of = (/** @type {string} */ kind) => all.filter((device) => device.kind === kind && device.deviceId);
    return { microphone: of('audioinput'), camera: of('videoinput'), speaker: of('audiooutput') };
  }

  /** Do something as long as the devices may be used; whose term ended has nothing to say any more. @param {() => unknown} work */
  async #while(work) {
    if (!this.started) return;
    try {
      await work();
    } catch (error) {
      if (error instanceof Over) return;
      throw error;
    }
    this.#changed();
  }

  async #openBoth() {
    const kinds = this.off.camera ? KINDS.slice(0, 1) : KINDS;
    for (const kind of kinds) this.#asked[kind] += 1;
    const turns = { ...this.#asked };
    const question = this.#custody.open(this.#constraints(kinds)).then(
      (tracks) => {
        for (const track of tracks) {
          const kind = track.kind === 'audio' ? 'microphone' : 'camera';
          this.#take(kind, track, turns[kind]);
        }
      },
      async (error) => {
        if (error instanceof Over) throw error;
        await this.#oneByOne(kinds, problemOf(error));
      },
    );
    await this.#note(kinds, question);
  }

  /**
   * One that is blocked, missing or taken does not take the other along.
   * @param {Kind[]} kinds
   * @param {Problem} problem of both together
   */
  async #oneByOne(kinds, problem) {
    const permitted = await Promise.all(kinds.map((kind) => permission(kind)));
    // Neither blocked nor given: the person closed the question, and is not asked a second and third time at once.
    const closed = problem === 'denied' && permitted.every((state) => state === 'prompt');
    for (const [index, kind] of kinds.entries()) {
      if (closed || permitted[index] === 'denied') this.problem[kind] = problem === 'insecure' ? problem : 'denied';
      else if (!(kind === 'camera' && this.off.camera)) await this.#openOne(kind);
    }
  }

  /** @param {Kind} kind */
  async #openOne(kind) {
    const turn = ++this.#asked[kind];
    const question = this.#free(kind).then(
      (track) => track && this.#take(kind, track, turn),
      (error) => {
        if (error instanceof Over) throw error;
        if (turn === this.#asked[kind]) this.problem[kind] = problemOf(error);
      },
    );
    await this.#note([kind], question);
  }

  /** The device that was chosen, or one that is free where another program has that. @param {Kind} kind */
  async #free(kind) {
    try {
      return (await this.#custody.open(this.#constraints([kind])))[0];
    } catch (error) {
      if (error instanceof Over || problemOf(error) !== 'busy') throw error;
      const others = (await this.devices())[kind].filter(({ deviceId }) => deviceId !== this.chosen[kind]);
      for (const { deviceId } of others.slice(0, MOST_OTHERS)) {
        const track = await this.#exactly(kind, deviceId).catch(onlyOver);
        if (track) return track;
      }
      throw error;
    }
  }

  /** @param {Kind} kind @param {string} id */
  async #change(kind, id) {
    const turn = ++this.#asked[kind];
    const before = this[kind];
    const old = before?.getSettings().deviceId;
    const track = await this.#exactly(kind, id).catch(async (error) => {
      if (error instanceof Over) throw error;
      const problem = problemOf(error);
      if (turn !== this.#asked[kind]) return null;
      // Phones refuse a second camera while the first is open.
      if (before && kind === 'camera' && problem === 'busy') {
        this.#custody.release(before);
        this[kind] = null;
        const second = await this.#exactly(kind, id).catch(onlyOver);
        if (second) return second;
      }
      if (turn === this.#asked[kind]) this.refused = { kind, problem };
      return null;
    });
    if (track) {
      if (turn === this.#asked[kind]) this.#remember(kind, id);
      this.#take(kind, track, turn);
    } else if (turn === this.#asked[kind] && !this[kind]) {
      const again = old ? await this.#exactly(kind, old).catch(onlyOver) : null;
      if (again) this.#take(kind, again, turn);
      else if (turn === this.#asked[kind]) await this.#openOne(kind);
    }
  }

  /** @param {Kind} kind @param {string} id */
  async #exactly(kind, id) {
    const constraints = kind === 'camera' ? { video: { ...VIDEO, deviceId: { exact: id } } } : { audio: { ...AUDIO, deviceId: { exact: id } } };
    return (await this.#custody.open(constraints))[0] ?? null;
  }

  /** @param {Kind[]} kinds @returns {MediaStreamConstraints} */
  #constraints(kinds) {
    const { microphone: mic, camera: cam } = this.chosen;
    return {
      audio: kinds.includes('microphone') && { ...AUDIO, ...(mic ? { deviceId: { ideal: mic } } : {}) },
      video: kinds.includes('camera') && { ...VIDEO, ...(cam ? { deviceId: { ideal: cam } } : { facingMode: 'user' }) },
    };
  }

  /** Remember that these kinds are being opened. @param {Kind[]} kinds @param {Promise<unknown>} question */
  async #note(kinds, question) {
    const opening = question.then(() => {});
    for (const kind of kinds) this.#opening[kind] = opening;
    try {
      await opening;
    } finally {
      for (const kind of kinds) if (this.#opening[kind] === opening) this.#opening[kind] = null;
    }
  }

  /** Keep what was opened, unless it is not wanted any more. @param {Kind} kind @param {MediaStreamTrack} track @param {number} turn */
  #take(kind, track, turn) {
    if (turn !== this.#asked[kind]) return this.#custody.release(track);
    this.#custody.release(this[kind]);
    this[kind] = track;
    this.problem[kind] = null;
    if (kind === 'microphone') track.enabled = !this.off.microphone;
    track.addEventListener('ended', () => this.#lost(kind, track));
    track.addEventListener('mute', () => this.#silenced(track));
    track.addEventListener('unmute', () => this.#silenced(track));
  }

  /** A device was pulled out, or its permission: take another one if there is. @param {Kind} kind @param {MediaStreamTrack} track */
  async #lost(kind, track) {
    if (this[kind] !== track) return;
    this.#stop(kind);
    await this.#while(() => this.#openOne(kind));
  }

  /** @param {MediaStreamTrack} track */
  #silenced(track) {
    setTimeout(() => {
      if (track !== this.microphone && track !== this.camera) return;
      this.interrupted = Boolean(this.microphone?.muted || this.camera?.muted);
      this.#changed();
    }, SILENCED_MS);
  }

  /** Close one, and let nothing come of a question for it. @param {Kind | 'screen'} kind */
  #stop(kind) {
    this.#asked[kind] += 1;
    if (kind !== 'screen') this.#opening[kind] = null;
    this.#custody.release(this[kind]);
    this[kind] = null;
  }

  /** @param {Kind | 'speaker'} kind @param {string} id */
  #remember(kind, id) {
    this.chosen = { ...this.chosen, [kind]: id };
    try {
      localStorage.setItem(KEPT, JSON.stringify(this.chosen));
    } catch {
      // Storage is off: the choice holds for this visit.
    }
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** @param {unknown} error @returns {null} unless the term is over */
function onlyOver(error) {
  if (error instanceof Over) throw error;
  return null;
}
