/** Sounds without files: two soft tones for “somebody is here”, three rising ones for “you are called in”. */

/** @type {AudioContext | null} */
let context = null;

/** Frequency in Hz and start in s of each tone. @type {Record<'arrival' | 'called', [number, number][]>} */
const SOUNDS = {
  arrival: [
    [659.26, 0],
    [523.25, 0.18],
  ],
  called: [
    [523.25, 0],
    [659.26, 0.16],
    [783.99, 0.32],
  ],
};

/** Whether the browser lets this page make sound; it does after the first press of a button or key. */
export const audible = () => context?.state === 'running';

/** Ask for sound, best inside a click. @returns {Promise<boolean>} */
export async function allowSound() {
  if (!('AudioContext' in globalThis)) return false;
  context ??= new AudioContext();
  if (context.state !== 'running') {
    // A context that may not start never settles its promise.
    await Promise.race([context.resume().catch(() => {}), new Promise((done) => setTimeout(done, 300))]);
  }
  return audible();
}

/**
 * @param {'arrival' | 'called'} name
 * @returns {Promise<boolean>} whether it could be heard
 */
export async function chime(name) {
  if (!(await allowSound()) || !context) return false;
  for (const [frequency, after] of SOUNDS[name]) {
    const at = context.currentTime + after;
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.type = 'sine';
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.25, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.9);
    tone.connect(gain).connect(context.destination);
    tone.start(at);
    tone.stop(at + 1);
  }
  return true;
}
