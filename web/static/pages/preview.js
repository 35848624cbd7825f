import { family } from './browsers.js';
import { el, onAction, slot } from './build.js';
import { Capture } from './capture.js';
import { t } from './language.js';
import { showCamera } from './selfview.js';

/** @import {Check, Found} from '../../types/wire.js' */

const FLOOR_DB = -60;

/** How loud a microphone is, 0 to 1, ten times a second, in steps an eye can follow. */
class Meter {
  /** @type {AudioContext | null} */ #context = null;
  /** @type {number | undefined} */ #timer;

  /** @param {(level: number) => void} onLevel */
  constructor(onLevel) {
    this.onLevel = onLevel;
  }

  /** Listen to `track`, or to nothing. @param {MediaStreamTrack | null} track */
  listen(track) {
    this.stop();
    if (!track || !('AudioContext' in globalThis)) return;
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#context = context;
    this.#timer = window.setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      const decibels = 10 * Math.log10(power + 1e-12);
      this.onLevel(Math.min(1, Math.max(0, 1 - decibels / FLOOR_DB)));
    }, 100);
  }

  stop() {
    window.clearInterval(this.#timer);
    this.#context?.close().catch(() => {});
    this.#context = null;
  }
}

/** `<device-preview>`: own picture, own sound, and what to do when one of them is not there. */
export class DevicePreview extends HTMLElement {
  capture = new Capture();
  #meter = new Meter((level) => this.#showLevel(level));
  #heard = false;
  #problems = '';
  /** @type {() => Promise<void>} */ #drawFields = async () => {};
  /** @type {MediaStreamTrack | null} */ #listeningTo = null;

  connectedCallback() {
    this.#drawFields = async () => (await import('./devicefields.js')).deviceFields(slot(this, 'device-fields'), this.capture, 'check')();
    this.capture.addEventListener('change', () => this.#show());
    onAction(this, { test: () => this.start(), retry: () => this.#ask(() => this.capture.retry()) });
    const test = /** @type {HTMLButtonElement} */ (this.querySelector('[data-action="test"]'));
    test.disabled = false;
  }

  /** Open the devices unless they are open; resolves when the person has answered. */
  async start() {
    if (!this.capture.started) await this.#ask(() => this.capture.start());
  }

  /** The consult shows the picture from now on. */
  suspend() {
    this.#meter.stop();
    this.#listeningTo = null;
    showCamera(this.#video, null);
  }

  resume() {
    this.#show();
  }

  /** How the devices are, for whoever is to hear and see this person; null before anything was tried. @returns {Check | null} */
  get found() {
    if (!this.capture.started) return null;
    return { microphone: found(this.capture, 'microphone'), camera: found(this.capture, 'camera') };
  }

  /** @param {() => Promise<void>} question */
  async #ask(question) {
    const busy = slot(this, 'busy');
    const patience = window.setTimeout(() => (busy.hidden = false), 300);
    await question();
    window.clearTimeout(patience);
    busy.hidden = true;
  }

  get #video() {
    return slot(this, 'preview-video', HTMLVideoElement);
  }

  #show() {
    const { camera, microphone, problem, started } = this.capture;
    this.#video.hidden = !camera;
    showCamera(this.#video, camera);
    slot(this, 'off').hidden = Boolean(camera);
    /** @type {HTMLElement} */ (this.querySelector('[data-action="test"]')).hidden = started;
    slot(this, 'off-words').textContent = started ? t('preview.no-camera') : t('preview.off');
    slot(this, 'controls').hidden = !started;
    this.#showProblem(started ? (problem.microphone ?? null) : null, started ? (problem.camera ?? null) : null);
    if (this.#listeningTo !== microphone) {
      this.#listeningTo = microphone;
      this.#meter.listen(microphone);
      this.#showLevel(0);
    }
    /** @type {HTMLElement} */ (this.querySelector('.level')).hidden = !microphone;
    if (started) this.#drawFields();
  }

  /** Each device in its own words, unless both have the same problem. @param {string | null} microphone @param {string | null} camera */
  #showProblem(microphone, camera) {
    /** @type {[string, string][]} */
    const found = [];
    if (microphone && microphone === camera) found.push(['both', microphone]);
    else {
      if (microphone) found.push(['microphone', microphone]);
      if (camera) found.push(['camera', camera]);
    }
    slot(this, 'problem').hidden = found.length === 0;
    const drawn = found.join(' ');
    if (this.#problems === drawn) return;
    this.#problems = drawn;
    const parts = found.flatMap(([which, problem]) => [
      el('p', {}, el('strong', { textContent: t(`problem.${which}.${problem}`) })),
      el('p', { textContent: t(`problem.${problem}.${problem === 'denied' ? family() : 'remedy'}`) }),
    ]);
    slot(this, 'problem-list').replaceChildren(...parts);
    if (parts.length) slot(this, 'problem').scrollIntoView({ block: 'nearest' });
  }

  /** @param {number} level */
  #showLevel(level) {
    const bar = /** @type {HTMLElement} */ (this.querySelector('meter-bar'));
    bar.style.setProperty('--level', level.toFixed(2));
    bar.setAttribute('aria-valuenow', String(Math.round(level * 100)));
    this.#heard ||= level > 0.5;
    const words = t(this.#heard ? 'preview.heard' : 'preview.speak');
    if (slot(this, 'level-words').textContent !== words) slot(this, 'level-words').textContent = words;
  }
}

/** @param {Capture} capture @param {'microphone' | 'camera'} kind @returns {Found} */
function found(capture, kind) {
  const track = capture[kind];
  if (track) return track.muted ? 'silent' : 'works';
  return capture.problem[kind] ?? (capture.off[kind] ? 'off' : 'missing');
}

customElements.define('device-preview', DevicePreview);
