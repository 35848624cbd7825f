/** What happened to a connection reaches the server, also if the line was down. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Reports } from '../../../web/static/client/reports.js';

/** A line that can be cut. */
function line() {
  const told = [];
  return {
    told,
    down: false,
    async request(event, body) {
      if (this.down) throw Object.assign(new Error(), { code: 'offline' });
      if (body.event === 'strange') throw Object.assign(new Error(), { code: 'invalid' });
      told.push([body.event, body.at]);
    },
  };
}

test('what happens while the line is down is told when it is back, with its age and in its order', async () => {
  const clock = { now: 1_000 };
  const wire = line();
  const reports = new Reports(wire, () => clock.now);
  wire.down = true;
  await reports.keep('a', { event: 'reconnecting' });
  clock.now = 4_000.4;
  await reports.keep('a', { event: 'connected' });
  assert.deepEqual(wire.told, []);
  clock.now = 5_000;
  wire.down = false;
  await reports.send('a');
  await reports.send('a');
  assert.deepEqual(wire.told, [['reconnecting', 4_000], ['connected', 1_000]]);
});

test('whoever connects anew tells what ended the presence before, and only of the same appointment', async () => {
  const [before, after, other] = [line(), line(), line()];
  before.down = true;
  await new Reports(before).keep('b', { event: 'failed' });
  await new Reports(other).send('c');
  await new Reports(after).send('b');
  assert.deepEqual(other.told, []);
  assert.deepEqual(after.told.map(([event]) => event), ['failed']);
});

test('a line that is down for long keeps the newest', async () => {
  const wire = line();
  wire.down = true;
  const reports = new Reports(wire);
  for (let n = 0; n < 50; n += 1) await reports.keep('d', { event: n });
  wire.down = false;
  await reports.send('d');
  assert.equal(wire.told.length, 20);
  assert.equal(wire.told.at(-1)[0], 49);
});

test('what an older server does not know is let go, and holds nothing up', async () => {
  const wire = line();
  wire.down = true;
  const reports = new Reports(wire);
  for (const event of ['strange', 'failed']) await reports.keep('e', { event });
  wire.down = false;
  await reports.send('e');
  assert.deepEqual(wire.told.map(([event]) => event), ['failed']);
});
