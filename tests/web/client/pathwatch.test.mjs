/** Nothing comes from the relay any more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Silence } from '../../../web/static/client/pathwatch.js';

/** When it was said, of looks each 250 ms. @param {{received: number, sent: number}[]} looks */
function said(looks) {
  const silence = new Silence();
  return looks.flatMap(({ received, sent }, index) => (silence.update(received, sent, index * 250) ? [index * 250] : []));
}

const flowing = (count) => Array.from({ length: count }, (_, index) => ({ received: index * 5, sent: index * 20 }));
const silent = (count, from) =>
  Array.from({ length: count }, (_, index) => ({ received: from.received, sent: from.sent + (index + 1) * 20 }));

test('what flows is not silent', () => assert.deepEqual(said(flowing(100)), []));

test('a silence is said after half a second, and again each four seconds', () => {
  const looks = flowing(9);
  assert.deepEqual(said([...looks, ...silent(36, looks.at(-1))]), [2_500, 6_500, 10_500]);
});

test('who sends nothing is told nothing, and expects nothing', () => {
  assert.deepEqual(said([...flowing(4), ...Array(40).fill({ received: 15, sent: 61 })]), []);
});

test('another transport counts from nothing', () => {
  const looks = flowing(9);
  assert.deepEqual(said([...looks, ...silent(1, looks.at(-1)), { received: 0, sent: 0 }, ...silent(1, { received: 0, sent: 0 })]), []);
});

test('sound that comes starts it anew', () => {
  const silence = new Silence();
  silence.update(5, 100, 0);
  silence.reset();
  assert.equal(silence.update(5, 200, 600), false);
  assert.equal(silence.update(5, 300, 1_100), true);
});

test('a device that slept gives the path a moment first', () => {
  const silence = new Silence();
  assert.equal(silence.update(5, 100, 0), false);
  assert.equal(silence.update(5, 200, 60_000), false);
  assert.equal(silence.update(5, 300, 60_250), false);
  assert.equal(silence.update(5, 400, 60_500), true);
});
