/** What counts against a server that gives up handshakes, and what does not. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SAID_FROM, Tally } from '../../../web/static/client/tally.js';

/** One epoch whose reveal leaves and that the next one ends. @param {Tally} tally @param {string[]} others */
function cutOff(tally, others) {
  tally.excuse(others.length);
  tally.lapse();
  tally.begin(others);
  tally.reveal();
}

test('whoever calls in one after another, quicker than a handshake, is not held to have withheld anything', () => {
  const tally = new Tally('appointment');
  for (let people = 1; people < 12; people += 1) cutOff(tally, Array.from({ length: people }, (_, at) => `p${at}`));
  tally.show();
  assert.equal(tally.withheld, 0);
});

test('as many people, or fewer, excuse nothing, whoever they are', () => {
  const tally = new Tally('appointment');
  for (const others of [['a', 'b'], ['a', 'c'], ['d'], ['e', 'f']]) cutOff(tally, others);
  assert.equal(tally.counted, SAID_FROM);
});

test('more people than ever excuse one epoch, and no epoch before it', () => {
  const tally = new Tally('appointment');
  for (const others of [['a'], ['a'], ['a'], ['a', 'b']]) cutOff(tally, others);
  assert.equal(tally.counted, 2);
});
