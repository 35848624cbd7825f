// What both stacks on Node share: JSON lines with the campaign, sealed frames out in their rhythm, frames in opened.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { CAMERA, MICROPHONE, dissect, frameKey, open, seal } from './frames.mjs';
import { Depacketiser, Packetiser } from './rtp.mjs';

export const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** The version of an installed package. @param {string} name */
export const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;

export class Bridge {
  /** @param {{connect: Function, answer: Function, send: Function, close: Function}} stack */
  constructor(stack) {
    Object.assign(this, { stack, own: null, remotes: new Map(), started: false });
    createInterface({ input: process.stdin }).on('line', (line) => this.#take(JSON.parse(line)));
    process.stdin.on('end', () => process.exit(0));
  }

  /** A receiver for packets of slot 0. */
  receiver(video) {
    const whole = new Depacketiser(video, (frame) => this.#open(Buffer.from(frame), video));
    return (packet) => whole.take(packet);
  }

  async #take(message) {
    if (message.connect) {
      Object.assign(this, message.connect);
      say(await this.stack.connect(message.connect));
    } else if ('mute' in message) this.muted = message.mute;
    else if (message.answer) await this.stack.answer(message.answer);
    else if (message.own) {
      this.own = [MICROPHONE, CAMERA].map((label) => frameKey(this.version, message.own, label));
      this.#start();
    } else if (message.remote) {
      for (const label of [MICROPHONE, CAMERA]) {
        const key = frameKey(this.version, message.remote, label);
        this.remotes.set(key.kid, { ...key, label });
      }
    }
  }

  #open(frame, video) {
    const found = dissect(frame);
    const remote = found && this.remotes.get(found.kid);
    // Frames may come before the key does; they are for nobody yet.
    if (found && !this.remotes.size) return;
    try {
      if (remote.label !== (video ? CAMERA : MICROPHONE)) throw new Error('another line');
      say({ opened: video ? 'video' : 'audio', frame: open(remote, frame, found, video).toString('base64') });
    } catch {
      say({ refused: video ? 'video' : 'audio' });
    }
  }

  #start() {
    if (this.started) return;
    this.started = true;
    this.#play(this.audio, 0.02, MICROPHONE, new Packetiser(this.stack.types.audio, this.stack.ssrcs.audio, 48000, false));
    this.#play(this.video, 1 / this.rate, CAMERA, new Packetiser(this.stack.types.video, this.stack.ssrcs.video, 90000, true));
  }

  /** The frames over and over; they begin with a key frame. */
  #play(frames, every, label, packetiser) {
    const began = performance.now();
    let count = 0;
    setInterval(() => {
      for (; count * every * 1000 < performance.now() - began; count++) {
        if (this.muted || !this.stack.ready(label)) continue;
        const frame = seal(this.own[label], Buffer.from(frames[count % frames.length], 'base64'), label === CAMERA);
        for (const packet of packetiser.packets(frame, count * every)) this.stack.send(label, packet);
      }
    }, 5);
  }
}
