/** When somebody counts as speaking. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Speech } from '../../../web/static/client/speech.js';

const FRAME_MS = 20;
const level = (dbov) => 10 ** (dbov / 20);

/** What was said of frames with these levels, each [dBov, how many]. */
function said(parts) {
  const changes = [];
  let now = 0;
  const speech = new Speech((speaking) => changes.push([now, speaking]));
  for (const [dbov, count] of parts) {
    for (let frame = 0; frame < count; frame += 1) {
      speech.heard(dbov === null ? 0 : level(dbov), now);
      now += FRAME_MS;
    }
  }
  return changes;
}

test('speech is told after 60 ms, and its end 800 ms after the last of it', () => {
  assert.deepEqual(said([[null, 10], [-20, 50], [null, 100]]), [[260, true], [1_980, false]]);
});

test('a click is no speech, and neither is a quiet room', () => {
  assert.deepEqual(said([[-10, 3], [null, 50], [-10, 3], [null, 50]]), []);
  assert.deepEqual(said([[-51, 500]]), []);
});

test('a breath between two words is no end', () => {
  assert.deepEqual(said([[-30, 20], [-60, 38], [-30, 20]]), [[60, true]]);
});

test('however restless the sound is, there are at most four changes a second', () => {
  const parts = Array.from({ length: 500 }, (_, at) => [at % 2 ? null : -20, (at * 7) % 11]);
  const changes = said(parts);
  for (const [at, [when]] of changes.entries()) assert.ok(at < 4 || when - changes[at - 4][0] >= 1_000);
});
