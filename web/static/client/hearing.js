/** Whether one speaks oneself, as the sound of one's own microphone has it; nothing of that sound leaves the page. */

const WORKLET = new URL('./speech-worklet.js', import.meta.url);

/** Listens to whatever microphone is used now. */
export class Hearing {
  #onChange;
  /** @type {MediaStreamTrack | null} */
  #track = null;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {Promise<AudioWorkletNode> | null} */
  #node = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;

  /** @param {(speaking: boolean) => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** @param {MediaStreamTrack | null} track */
  async listen(track) {
    if (track === this.#track) return;
    this.#track = track;
    this.#source?.disconnect();
    this.#source = null;
    if (track === null || !('AudioWorkletNode' in globalThis)) return;
    this.#node ??= this.#open();
    const node = await this.#node;
    if (this.#track !== track || !this.#context) return;
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(node);
  }

  close() {
    this.#track = null;
    this.#context?.close().catch(() => undefined);
    this.#context = null;
  }

  async #open() {
    const context = (this.#context = new AudioContext());
    await context.audioWorklet.addModule(WORKLET);
    const node = new AudioWorkletNode(context, 'speech');
    // Nothing comes out of it; but what leads nowhere is not asked for anything.
    node.connect(context.destination);
    node.port.onmessage = ({ data }) => this.#onChange(data);
    await context.resume();
    return node;
  }
}
