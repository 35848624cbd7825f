/** Who holds camera, microphone and screen, whatever order people and browsers answer in. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from './until.js';

/** Everything that devices ever gave. */
const given = [];

class Track extends EventTarget {
  readyState = 'live';
  enabled = true;
  muted = false;

  constructor(kind, id) {
    super();
    this.kind = kind;
    this.id = id;
    given.push(this);
  }

  stop() {
    this.readyState = 'ended';
  }

  getSettings() {
    return { deviceId: this.id };
  }
}

/** Devices by id, with the name of the error that opening one gives, or null; `only` one camera at a time, as phones have it. */
class Devices extends EventTarget {
  errors = {};
  permissions = {};
  alone = false;
  /** @type {(() => void)[] | null} answers that wait for somebody to give them */
  held = null;
  asked = [];

  async getUserMedia({ audio, video }) {
    this.asked.push([audio && 'microphone', video && 'camera'].filter(Boolean).join('+'));
    if (this.held) await new Promise((resolve) => this.held.push(resolve));
    const ids = [audio && [audio, 'audio', 'mic1'], video && [video, 'video', 'cam1']].filter(Boolean).map(([wanted, kind, first]) => {
      const id = wanted.deviceId?.exact ?? wanted.deviceId?.ideal ?? first;
      const taken = this.alone && kind === 'video' && given.some((track) => track.kind === 'video' && track.readyState === 'live');
      const name = this.errors[id] ?? this.errors[kind] ?? (taken ? 'NotReadableError' : null);
      if (name) throw new DOMException('no', name);
      return [kind, id];
    });
    const tracks = ids.map(([kind, id]) => new Track(kind, id));
    return { getTracks: () => tracks };
  }

  async getDisplayMedia() {
    this.asked.push('screen');
    if (this.held) await new Promise((resolve) => this.held.push(resolve));
    const tracks = [new Track('video', 'screen')];
    return { getTracks: () => tracks };
  }

  async enumerateDevices() {
    return [
      ...['mic1', 'mic2'].map((deviceId) => ({ kind: 'audioinput', deviceId })),
      ...['cam1', 'cam2'].map((deviceId) => ({ kind: 'videoinput', deviceId })),
    ];
  }
}

globalThis.document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
globalThis.localStorage = { getItem: () => null, setItem: () => {} };
const { Capture } = await import('../../../web/static/pages/capture.js');

/** A capture with devices of its own. @param {Partial<Devices>} [how] */
function person(how = {}) {
  given.length = 0;
  const devices = Object.assign(new Devices(), how);
  const permissions = { query: async ({ name }) => ({ state: devices.permissions[name] ?? 'granted' }) };
  Object.defineProperty(globalThis, 'navigator', { value: { mediaDevices: devices, permissions }, configurable: true });
  return { capture: new Capture(), devices };
}

const alive = () => given.filter(({ readyState }) => readyState === 'live');
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** What a page does with a capture, in any order. */
const ACTS = {
  off: (capture) => capture.turnOff('camera'),
  on: (capture) => void capture.turnOn('camera'),
  mute: (capture) => capture.turnOff('microphone'),
  unmute: (capture) => void capture.turnOn('microphone'),
  camera: (capture) => void capture.choose('camera', 'cam2'),
  microphone: (capture) => void capture.choose('microphone', 'mic2'),
  retry: (capture) => void capture.retry(),
  reacquire: (capture) => void capture.reacquire(),
  share: (capture) => void capture.share(),
  unshare: (capture) => capture.unshare(),
};

test('what a device gives after the end is stopped at once', async () => {
  for (const [name, act] of Object.entries(ACTS)) {
    const { capture, devices } = person();
    await capture.start();
    devices.held = [];
    capture.turnOff('camera');
    act(capture);
    await settled();
    capture.stop();
    assert.equal(alive().length, 0, name);
    while (devices.held.length) {
      devices.held.shift()();
      await settled();
    }
    assert.equal(alive().length, 0, name);
    assert.deepEqual([capture.microphone, capture.camera, capture.screen], [null, null, null], name);
  }
});

test('in any order of acts and answers nothing lives that is not held, and nothing after the end', async () => {
  let seed = 7;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  const names = Object.keys(ACTS);
  for (let run = 0; run < 400; run += 1) {
    const { capture, devices } = person({ held: [], alone: random(2) === 1 });
    if (random(3) === 0) devices.errors.cam2 = 'NotReadableError';
    const done = [];
    capture.start();
    for (let step = 0; step < 12; step += 1) {
      const choice = random(3);
      const name = names[random(names.length)];
      if (choice < 2) {
        done.push(name);
        ACTS[name](capture);
      } else devices.held.splice(random(devices.held.length || 1), 1)[0]?.();
      if (random(2)) await settled();
      if (random(14) === 0) {
        capture.stop();
        done.push('stop');
        assert.equal(alive().length, 0, done.join(' '));
        capture.start();
      }
    }
    await settled();
    while (devices.held.length) {
      devices.held.splice(0).forEach((answer) => answer());
      await settled();
    }
    const held = [capture.microphone, capture.camera, capture.screen].filter(Boolean);
    assert.deepEqual(new Set(alive()), new Set(held), done.join(' '));
    assert.equal(Boolean(capture.camera) && capture.off.camera, false, done.join(' '));
    ACTS[names[random(names.length)]](capture);
    capture.stop();
    devices.held.splice(0).forEach((answer) => answer());
    await settled();
    assert.equal(alive().length, 0, done.join(' '));
  }
});

test('one picker at a time, and its answer is good only for the consult that asked', async () => {
  const { capture, devices } = person();
  await capture.start();
  devices.held = [];
  capture.share();
  capture.share();
  await settled();
  assert.equal(devices.asked.filter((what) => what === 'screen').length, 1);
  capture.unshare();
  devices.held.splice(0).forEach((answer) => answer());
  await settled();
  assert.equal(capture.screen, null);
  assert.equal(alive().filter(({ id }) => id === 'screen').length, 0);
  devices.held = null;
  await capture.share();
  assert.equal(capture.screen?.readyState, 'live');
  await capture.share();
  assert.equal(devices.asked.filter((what) => what === 'screen').length, 2);
});

test('nothing is opened when the page becomes visible after the end', async () => {
  const { capture, devices } = person();
  await capture.start();
  capture.microphone.muted = true;
  capture.microphone.dispatchEvent(new Event('mute'));
  await until(() => capture.interrupted);
  capture.stop();
  const before = devices.asked.length;
  document.dispatchEvent(new Event('visibilitychange'));
  await settled();
  assert.equal(devices.asked.length, before);
});

test('a blocked microphone leaves the camera as it is, and each has its own problem', async () => {
  const { capture } = person({ errors: { audio: 'NotAllowedError' }, permissions: { microphone: 'denied' } });
  await capture.start();
  assert.equal(capture.camera?.readyState, 'live');
  assert.deepEqual(capture.problem, { microphone: 'denied', camera: null });
});

test('a missing camera and a blocked microphone are told apart', async () => {
  const { capture } = person({ errors: { audio: 'NotAllowedError', video: 'NotFoundError' }, permissions: { microphone: 'denied' } });
  await capture.start();
  assert.deepEqual(capture.problem, { microphone: 'denied', camera: 'missing' });
});

test('whoever closed the question is not asked twice more', async () => {
  const errors = { audio: 'NotAllowedError', video: 'NotAllowedError' };
  const { capture, devices } = person({ errors, permissions: { microphone: 'prompt', camera: 'prompt' } });
  await capture.start();
  assert.deepEqual(devices.asked, ['microphone+camera']);
  assert.deepEqual(capture.problem, { microphone: 'denied', camera: 'denied' });
});

test('a remembered device that is busy gives way to a free one, and stays remembered', async () => {
  const { capture } = person({ errors: { cam1: 'NotReadableError', mic2: 'AbortError' } });
  capture.chosen = { camera: 'cam1', microphone: 'mic2' };
  await capture.start();
  assert.deepEqual([capture.camera?.id, capture.microphone?.id], ['cam2', 'mic1']);
  assert.deepEqual(capture.problem, { microphone: null, camera: null });
  assert.deepEqual(capture.chosen, { camera: 'cam1', microphone: 'mic2' });
});

test('choosing a busy device keeps the one before', async () => {
  for (const alone of [false, true]) {
    const { capture } = person({ errors: { cam2: 'NotReadableError', mic2: 'NotReadableError' }, alone });
    await capture.start();
    await capture.choose('camera', 'cam2');
    assert.equal(capture.camera?.readyState, 'live', `alone: ${alone}`);
    assert.equal(capture.camera.id, 'cam1');
    assert.deepEqual(capture.refused, { kind: 'camera', problem: 'busy' });
    const microphone = capture.microphone;
    await capture.choose('microphone', 'mic2');
    assert.equal(capture.microphone, microphone);
    assert.equal(microphone.readyState, 'live');
    assert.deepEqual(capture.refused, { kind: 'microphone', problem: 'busy' });
    assert.deepEqual([capture.problem, capture.chosen], [{ microphone: null, camera: null }, {}]);
  }
});

test('a phone that opens one camera at a time changes it', async () => {
  const { capture } = person({ alone: true });
  await capture.start();
  await capture.choose('camera', 'cam2');
  assert.equal(capture.camera?.id, 'cam2');
  assert.equal(alive().filter(({ kind }) => kind === 'video').length, 1);
  assert.equal(capture.refused, null);
  assert.equal(capture.chosen.camera, 'cam2');
});
