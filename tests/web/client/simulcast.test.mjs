/** In which sizes a camera is sent to a group. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fit, layers } from '../../../web/static/client/simulcast.js';

const sizes = (width, height) => layers(width * height).map(({ scale }) => height / scale);

test('the full size is always sent, and as many smaller ones as a browser sends of that picture', () => {
  assert.deepEqual(sizes(1280, 720), [180, 360, 720]);
  assert.deepEqual(sizes(1920, 1080), [270, 540, 1080]);
  assert.deepEqual(sizes(960, 540), [135, 270, 540]);
  assert.deepEqual(sizes(800, 600), [300, 600], 'too few pixels for three');
  assert.deepEqual(sizes(640, 360), [180, 360]);
  assert.deepEqual(sizes(480, 270), [135, 270]);
  assert.deepEqual(sizes(320, 240), [240]);
  assert.deepEqual(sizes(720, 1280), [320, 640, 1280], 'a phone upright');
});

/** A sender of a camera of this size. */
function sender(width, height) {
  const encodings = ['q', 'h', 'f'].map((rid) => ({ rid, active: true, scaleResolutionDownBy: 9 }));
  const set = [];
  return { set, track: { getSettings: () => ({ width, height }) }, getParameters: () => ({ encodings }), setParameters: async (it) => set.push(it) };
}

test('the encodings that a picture is too small for are off, and the first ones carry it', async () => {
  const small = sender(640, 480);
  await fit(small);
  const [{ encodings: [q, h, f] }] = small.set;
  assert.deepEqual([q.active, h.active, f.active], [true, true, false]);
  assert.deepEqual([q.scaleResolutionDownBy, h.scaleResolutionDownBy], [2, 1]);
  assert.ok(q.maxBitrate < h.maxBitrate);
});

test('a larger camera afterwards switches them on again; without a camera nothing is touched', async () => {
  const large = sender(1280, 720);
  await fit(large);
  assert.deepEqual(large.set[0].encodings.map(({ active, maxBitrate }) => [active, maxBitrate]), [[true, 150_000], [true, 500_000], [true, 1_700_000]]);
  const none = { ...sender(0, 0), track: null };
  await fit(none);
  assert.deepEqual(none.set, []);
});
