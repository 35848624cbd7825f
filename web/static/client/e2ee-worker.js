/**
 * The encryption worker: every encoded frame of the page passes here. It drops what it cannot encrypt or authenticate,
 * always, and never passes a frame on as it came.
 *
 * To it: `own`, `disown`, `remote`, `slots`, `seal`, `open`, `count`, `listen`, `forget` (see `encryption.js`). From it: `ready`, `result`, `first`
 * (of somebody's source, decrypted), `keyframe` (wanted from somebody).
 */

import { LABEL, labelOf, parse } from './frame.js';
import { KeyRing } from './keyring.js';

/** @import {Kind} from './frame.js' */
/** @import {SendCount} from './encryption.js' */
/** @typedef {{side: 'send', id: string, source: 'microphone' | 'camera' | 'screen'}} SendOptions */
/** @typedef {{side: 'receive', slot: number, kind: 'audio' | 'video'}} ReceiveOptions */
/** @typedef {{data: ArrayBuffer}} EncodedFrame */

const HOLD_MS = 1000;
const KEYFRAME_EVERY_MS = 500;
const STAGE = -1;

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));
const ring = new KeyRing(() => performance.now());
/** @type {Map<string, SendCount>} */
const counts = new Map();
/** @type {Map<string, number[]>} frames decrypted per participant, by label */
const received = new Map();
/** @type {Map<number, string>} */
let slots = new Map();
/** @type {Set<() => void>} */
const waiting = new Set();
/** @type {Set<number>} key ids for which waiting was in vain */
const hopeless = new Set();
/** @type {Set<string>} */
const heard = new Set();
/** @type {Map<string, number>} */
const asked = new Map();

/** @param {SendOptions} options */
function sender({ id, source }) {
  /** @type {SendCount} */
  const count = { seen: 0, encrypted: 0, dropped: 0 };
  counts.set(id, count);
  /** @type {Kind} */
  const kind = source === 'microphone' ? 'audio' : 'video';
  return new TransformStream({
    /** @param {EncodedFrame} frame @param {TransformStreamDefaultController} controller */
    async transform(frame, controller) {
      count.seen += 1;
      try {
        const sealed = await ring.seal(LABEL[source], new Uint8Array(frame.data), kind);
        if (sealed !== null) {
          frame.data = sealed.buffer;
          controller.enqueue(frame);
          count.encrypted += 1;
          return;
        }
      } catch {
        // Dropped below: nothing leaves that was not encrypted.
      }
      count.dropped += 1;
    },
  });
}

/** @param {ReceiveOptions} options */
function receiver({ slot, kind }) {
  const expected = slot === STAGE ? LABEL.screen : kind === 'audio' ? LABEL.microphone : LABEL.camera;
  let broken = false;
  return new TransformStream({
    /** @param {EncodedFrame} frame @param {TransformStreamDefaultController} controller */
    async transform(frame, controller) {
      const parsed = parse(new Uint8Array(frame.data));
      if (parsed === null || labelOf(parsed.kid) !== expected) return;
      if (!entitled(slot, parsed.kid) && !(await becomesEntitled(slot, parsed.kid))) {
        broken = true;
        return;
      }
      // Chromium probes the line with packets it sent before, and its depacketiser makes the same frame of them again.
      if (ring.seen(parsed)) return;
      const participant = ring.sender(parsed.kid) ?? '';
      const plaintext = await ring.open(parsed, kind);
      if (plaintext === null) {
        broken = true;
        return;
      }
      frame.data = plaintext.buffer;
      controller.enqueue(frame);
      arrived(participant, expected);
      if (kind === 'video' && broken) {
        if ((plaintext[0] ?? 0) % 2 === 0) broken = false;
        else wantKeyframe(participant, expected);
      }
    },
  });
}

/**
 * A frame counts only in the slot that was announced for its sender: the relay forwards, it does not attribute.
 * @param {number} slot
 * @param {number} kid
 */
function entitled(slot, kid) {
  const participant = ring.sender(kid);
  return participant !== null && slots.get(slot) === participant;
}

/**
 * Key and slot map come over another path than the frames and may be a moment late.
 * @param {number} slot
 * @param {number} kid
 * @returns {Promise<boolean>}
 */
function becomesEntitled(slot, kid) {
  if (hopeless.has(kid)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const deadline = setTimeout(() => settle(false), HOLD_MS);
    const retry = () => entitled(slot, kid) && settle(true);
    /** @param {boolean} value */
    function settle(value) {
      clearTimeout(deadline);
      waiting.delete(retry);
      if (!value) hopeless.add(kid);
      resolve(value);
    }
    waiting.add(retry);
  });
}

function newsForWaiting() {
  hopeless.clear();
  for (const retry of [...waiting]) retry();
}

/** @param {string} participant @param {number} label */
function arrived(participant, label) {
  const frames = received.get(participant) ?? [0, 0, 0];
  frames[label] = (frames[label] ?? 0) + 1;
  received.set(participant, frames);
  const mark = `${participant} ${label}`;
  if (heard.has(mark)) return;
  heard.add(mark);
  scope.postMessage({ type: 'first', participant, label });
}

/** @param {string} participant @param {number} label */
function wantKeyframe(participant, label) {
  const mark = `${participant} ${label}`;
  const now = performance.now();
  if (now - (asked.get(mark) ?? -Infinity) < KEYFRAME_EVERY_MS) return;
  asked.set(mark, now);
  scope.postMessage({ type: 'keyframe', participant, label });
}

/** @type {Record<string, (message: any) => unknown>} */
const commands = {
  async own({ place }) {
    await ring.setOwn(place);
  },
  disown: () => ring.dropOwn(),
  async remote({ participant, place }) {
    await ring.setRemote(participant, place);
    newsForWaiting();
  },
  slots({ slots: announced }) {
    slots = new Map(announced.map((/** @type {{slot: number, participant: string}} */ it) => [it.slot, it.participant]));
    newsForWaiting();
  },
  seal: ({ plaintext }) => ring.seal(LABEL.data, plaintext, 'data'),
  async open({ participant, frame }) {
    const parsed = parse(frame);
    if (parsed === null || labelOf(parsed.kid) !== LABEL.data || ring.sender(parsed.kid) !== participant) return null;
    return ring.open(parsed, 'data');
  },
  count: () => ({ sent: Object.fromEntries(counts), received: Object.fromEntries(received) }),
  listen() {
    heard.clear();
  },
  forget({ id }) {
    counts.delete(id);
  },
};

scope.addEventListener('message', async ({ data }) => {
  try {
    const value = await commands[data.type]?.(data);
    scope.postMessage({ type: 'result', request: data.request, value });
  } catch (error) {
    scope.postMessage({ type: 'result', request: data.request, error: String(error) });
  }
});

scope.addEventListener('rtctransform', (event) => {
  const { transformer } = /** @type {any} */ (event);
  const { readable, writable, options } = transformer;
  const transform = options.side === 'send' ? sender(options) : receiver(options);
  readable.pipeThrough(transform).pipeTo(writable).catch(() => undefined);
});

scope.postMessage({ type: 'ready' });
