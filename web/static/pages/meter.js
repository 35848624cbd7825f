/** How loud a microphone is, 0 to 1, ten times a second, in steps an eye can follow. */

const FLOOR_DB = -60;

export class Meter {
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
