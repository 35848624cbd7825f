/** Who may read what, and for how long. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Flow } from '../../../web/static/client/flow.js';
import { random, utf8 } from '../../../web/static/client/bytes.js';
import { LABEL, keyId, parse } from '../../../web/static/client/frame.js';
import { KeyRing } from '../../../web/static/client/keyring.js';

function rings() {
  const clock = { now: 0 };
  return { clock, alice: new KeyRing(() => clock.now), bob: new KeyRing(() => clock.now) };
}

const place = (epoch, secret = random(32)) => ({ epoch, index: 1, secret });
const sealed = async (ring, text, label = LABEL.data) => parse(await ring.seal(label, utf8(text), 'data'));
const text = (bytes) => bytes && new TextDecoder().decode(bytes);

test('without a key nothing is sealed', () => {
  const { alice } = rings();
  for (const label of Object.values(LABEL)) assert.equal(alice.seal(label, utf8('x'), 'data'), null);
});

test('each frame is taken once', async () => {
  const { alice, bob } = rings();
  const secret = place(7);
  await alice.setOwn(secret);
  await bob.setRemote('alice', secret);
  const frame = await sealed(alice, 'hello');
  assert.equal(bob.sender(frame.kid), 'alice');
  assert.equal(bob.seen(frame), false);
  const both = await Promise.all([bob.open(frame, 'data'), bob.open(frame, 'data')]);
  assert.deepEqual(new Set(both.map(text)), new Set(['hello', null])); // which one first is up to the crypto threads
  assert.equal(bob.seen(frame), true);
});

test('counters rise separately for each label and never restart', async () => {
  const { alice } = rings();
  await alice.setOwn(place(7));
  const counters = [];
  for (const label of [0, 0, 1, 0, 3, 1]) counters.push((await sealed(alice, 'x', label)).counter);
  assert.deepEqual(counters, [0, 1, 0, 2, 0, 1]);
});

test('a secret is used once', async () => {
  const { alice } = rings();
  const secret = place(7);
  await alice.setOwn(secret);
  await assert.rejects(alice.setOwn({ ...secret, epoch: 8 }), /once/);
});

test('the secret of the epoch before is accepted for ten seconds more', async () => {
  const { alice, bob, clock } = rings();
  const [old, fresh] = [place(7), place(8)];
  await alice.setOwn(old);
  await bob.setRemote('alice', old);
  const [early, late] = [await sealed(alice, 'early'), await sealed(alice, 'late')];
  clock.now = 1_000;
  await bob.setRemote('alice', fresh);
  clock.now = 10_999;
  assert.equal(text(await bob.open(early, 'data')), 'early');
  clock.now = 11_000;
  assert.equal(await bob.open(late, 'data'), null);
  assert.equal(bob.sender(late.kid), null);
  assert.equal(bob.sender(keyId(8, 1, LABEL.data)), 'alice');
});

test('a forged frame neither opens nor moves the replay window', async () => {
  const { alice, bob } = rings();
  const secret = place(7);
  await alice.setOwn(secret);
  await bob.setRemote('alice', secret);
  const frame = await sealed(alice, 'true');
  const forged = { ...frame, body: frame.body.map((byte) => byte ^ 1) };
  assert.equal(await bob.open(forged, 'data'), null);
  assert.equal(text(await bob.open(frame, 'data')), 'true');
});

test('somebody whose microphone is on and who is not heard for five seconds is noticed, and is heard again', () => {
  const clock = { now: 0 };
  const changes = [];
  const note = (participant, flowing) => changes.push([clock.now, participant, flowing]);
  const flow = new Flow(note, () => clock.now);
  const at = (now, frames, expected = true) => {
    clock.now = now;
    flow.update(new Map([['alice', { frames, expected }]]));
  };
  at(0, 0);
  at(2_000, 100);
  at(6_000, 100);
  assert.deepEqual(changes, []);
  at(7_000, 100);
  at(9_000, 100);
  at(11_000, 150);
  at(20_000, 150, false);
  assert.deepEqual(changes, [[7_000, 'alice', false], [11_000, 'alice', true]]);
});
