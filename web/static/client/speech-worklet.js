/**
 * Listens to one's own microphone where the browser makes its sound, so that it goes on in a page that nobody looks at. A sent frame
 * does not say how loud it is: Chromium knows that only where the level goes over the line in clear.
 *
 * From it: true or false, when somebody begins to speak and when they end.
 */

import { Speech } from './speech.js';

const FRAME_S = 0.02;

/** What the scope of a worklet has. @type {{AudioWorkletProcessor: new () => {port: MessagePort}, sampleRate: number, currentTime: number, registerProcessor: (name: string, kind: Function) => void}} */
const scope = /** @type {any} */ (globalThis);

class SpeechProcessor extends scope.AudioWorkletProcessor {
  #speech = new Speech((speaking) => this.port.postMessage(speaking));
  #power = 0;
  #samples = 0;

  /** @param {Float32Array[][]} inputs nothing at all where the microphone was taken away */
  process([input]) {
    for (const sample of input?.[0] ?? [0]) {
      this.#power += sample * sample;
      this.#samples += 1;
    }
    if (this.#samples >= FRAME_S * scope.sampleRate || !input?.length) {
      this.#speech.heard(Math.sqrt(this.#power / this.#samples), scope.currentTime * 1000);
      this.#power = this.#samples = 0;
    }
    return true;
  }
}

scope.registerProcessor('speech', SpeechProcessor);
