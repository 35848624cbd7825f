/** A camera in three sizes: every one of them passes the encryption worker, or the camera is stopped. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Guard } from '../../../web/static/client/guard.js';

/** A camera with these many frames encoded by size, of which the worker saw so many. */
function camera() {
  const frames = { q: 0, h: 0, f: 0, seen: 0 };
  const reports = () => ['q', 'h', 'f'].map((rid) => [rid, { type: 'outbound-rtp', kind: 'video', rid, framesEncoded: frames[rid] }]);
  const sender = { getStats: async () => new Map(reports()) };
  const stopped = [];
  const media = {
    connection: { senders: new Map([['camera', { transceiver: { sender }, id: 'camera-1' }]]) },
    stop: async (source) => stopped.push(source),
  };
  let now = 0;
  const encryption = { counts: async () => ({ sent: { 'camera-1': { seen: frames.seen } }, received: {} }) };
  const guard = new Guard(encryption, media, () => undefined, () => now);
  const look = async (more) => {
    for (const [name, count] of Object.entries(more)) frames[name] += count;
    now += 250;
    await guard.check();
    return stopped.length;
  };
  return { look };
}

test('frames of all sizes are counted together, with some of each on their way', async () => {
  const { look } = camera();
  assert.equal(await look({ q: 10, h: 10, f: 10, seen: 24 }), 0);
  for (let round = 0; round < 40; round += 1) assert.equal(await look({ q: 8, h: 8, f: 8, seen: 24 }), 0);
});

test('one size that goes past the worker stops the camera, however well the others go', async () => {
  const { look } = camera();
  await look({ q: 10, h: 10, f: 10, seen: 30 });
  let rounds = 0;
  while (!(await look({ q: 8, h: 8, f: 8, seen: 16 })) && rounds < 20) rounds += 1;
  assert.ok(rounds <= 14, `after ${rounds} looks`);
});

test('three sizes of which none is seen stop it at once', async () => {
  const { look } = camera();
  assert.equal(await look({ q: 4, h: 4, f: 4 }), 1);
});
