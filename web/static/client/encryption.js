/** The page's end of the encryption worker: transforms for senders and receivers, keys into it, counters out of it. */

/** @import {Bytes} from './bytes.js' */
/** @import {SecretAt} from './keyring.js' */
/** @import {SlotView, Source} from './wire.js' */
/** @typedef {{seen: number, encrypted: number, dropped: number}} SendCount */

const WORKER_URL = new URL('./e2ee-worker.js', import.meta.url);
/** @type {Record<number, Source>} */
const SOURCE_OF_LABEL = { 0: 'microphone', 1: 'camera', 2: 'screen' };

/**
 * Events: `first` {participant, source}: the first frame of this source was decrypted; `keyframe` {participant, source}: a
 * frame was lost to decryption, ask for a key frame; `broken` {}: the worker failed, nothing is encrypted any more and so
 * nothing is sent.
 */
export class Encryption extends EventTarget {
  #worker;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  #pending = new Map();
  #requests = 0;
  #transforms = 0;

  /** @param {string | URL} [workerUrl] */
  constructor(workerUrl = WORKER_URL) {
    super();
    this.#worker = new Worker(workerUrl, { type: 'module', name: 'encryption' });
    /** Resolves when the worker runs. @type {Promise<void>} */
    this.ready = new Promise((resolve) => {
      this.#worker.addEventListener('message', ({ data }) => {
        if (data.type === 'ready') resolve();
        else this.#onMessage(data);
      });
    });
    this.#worker.addEventListener('error', () => this.#emit('broken', {}));
  }

  /**
   * The transform for a sender, and the name under which `counts` reports it. Assign it in the statement block that adds the
   * transceiver, before any track: one task later Chromium sends the first frames in plaintext and never calls it.
   * @param {Source} source
   */
  sending(source) {
    const id = `${source}-${(this.#transforms += 1)}`;
    return { id, transform: new RTCRtpScriptTransform(this.#worker, { side: 'send', id, source }) };
  }

  /** @param {number} slot −1 is the stage @param {'audio' | 'video'} kind */
  receiving(slot, kind) {
    return new RTCRtpScriptTransform(this.#worker, { side: 'receive', slot, kind });
  }

  /** Send under this secret. @param {SecretAt} place @returns {Promise<void>} */
  own(place) {
    return this.#ask({ type: 'own', place });
  }

  /** Send nothing more until there is another secret. @returns {Promise<void>} */
  disown() {
    return this.#ask({ type: 'disown' });
  }

  /** Accept this participant's secret. @param {string} participant @param {SecretAt} place @returns {Promise<void>} */
  remote(participant, place) {
    return this.#ask({ type: 'remote', participant, place });
  }

  /** Whose frames count in which slot. @param {SlotView[]} slots @returns {Promise<void>} */
  assign(slots) {
    return this.#ask({ type: 'slots', slots });
  }

  /** A data frame, or null as long as there is no key. @param {Bytes} plaintext @returns {Promise<Bytes | null>} */
  seal(plaintext) {
    return this.#ask({ type: 'seal', plaintext });
  }

  /**
   * @param {string} participant who the server says it is from; the key must agree
   * @param {Bytes} frame
   * @returns {Promise<Bytes | null>} null if it is not authentic
   */
  open(participant, frame) {
    return this.#ask({ type: 'open', participant, frame });
  }

  /**
   * Frames per sending transform, and frames decrypted per participant (microphone, camera, screen).
   * @returns {Promise<{sent: Record<string, SendCount>, received: Record<string, number[]>}>}
   */
  counts() {
    return this.#ask({ type: 'count' });
  }

  /** Emit `first` again for everybody, after a new peer connection. @returns {Promise<void>} */
  listen() {
    return this.#ask({ type: 'listen' });
  }

  /** A sending transform that is no longer in use. @param {string} id */
  forget(id) {
    return this.#ask({ type: 'forget', id });
  }

  close() {
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) reject(new Error('the encryption worker was closed'));
    this.#pending.clear();
  }

  /** @param {object} message @returns {Promise<any>} */
  #ask(message) {
    const request = (this.#requests += 1);
    return new Promise((resolve, reject) => {
      this.#pending.set(request, { resolve, reject });
      this.#worker.postMessage({ ...message, request });
    });
  }

  /** @param {any} data */
  #onMessage(data) {
    if (data.type !== 'result') {
      this.#emit(data.type, { participant: data.participant, source: SOURCE_OF_LABEL[data.label] });
      return;
    }
    const pending = this.#pending.get(data.request);
    this.#pending.delete(data.request);
    if (data.error === undefined) pending?.resolve(data.value);
    else pending?.reject(new Error(data.error));
  }

  /** @param {string} type @param {object} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
