/** docs/vectors.json against the browser's modules; run by tests/web/test_client_modules.py. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { toBase64Url } from '../../../web/static/client/bytes.js';
import { ReplayWindow, frameKey, keyId, open, parse, seal } from '../../../web/static/client/frame.js';
import { KeyExchange } from '../../../web/static/client/key-exchange.js';
import { commitment, transcript, unwrap, verificationCode, wrap } from '../../../web/static/client/keys.js';
import { until } from './until.js';

const vectors = JSON.parse(readFileSync(new URL('../../../docs/vectors.json', import.meta.url), 'utf8'));

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (value) => Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
const entry = ({ participant, role, key, nonce, last, withheld }) => (
  { participant, role, key: bytes(key), nonce: bytes(nonce), last: last.map(bytes), withheld });

function privateKey(member) {
  const point = bytes(member.key);
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    d: toBase64Url(bytes(member.private)),
    x: toBase64Url(point.slice(1, 33)),
    y: toBase64Url(point.slice(33)),
  };
  return crypto.subtle.importKey('jwk', jwk, { name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']);
}

for (const { appointment, epoch, members, transcript: expected, code } of vectors.handshakes) {
  test(`the handshake of ${members.length} is that of the vectors`, async () => {
    for (const member of members) {
      assert.equal(hex(await commitment(appointment, epoch, entry(member))), member.commitment);
    }
    const entries = members.map(entry);
    for (const order of [entries, entries.toReversed()]) {
      const hash = await transcript(appointment, epoch, order);
      assert.equal(hex(hash), expected);
      assert.equal(await verificationCode(hash), code);
    }
    for (const from of members) {
      for (const { to, iv, wrapped } of from.wraps) {
        const other = members.find(({ participant }) => participant === to);
        const [mine, theirs] = [await privateKey(from), await privateKey(other)];
        const ends = [bytes(expected), from.participant, to];
        assert.equal(hex(await wrap(mine, bytes(other.key), ...ends, bytes(from.secret), bytes(iv))), wrapped);
        assert.equal(hex(await unwrap(theirs, bytes(from.key), ...ends, bytes(wrapped))), from.secret);
      }
    }
  });
}

for (const { why, as, view, receive, sent } of vectors.refusals) {
  test(`it is refused when ${why}`, async () => {
    const said = [];
    const heard = new Map();
    const wire = {
      on: (event, listener) => (heard.set(event, listener), () => heard.delete(event)),
      request: async (event) => said.push(event),
    };
    const ring = { own: () => assert.fail('sends'), remote: () => assert.fail('receives'), disown: () => undefined };
    const keys = new KeyExchange(wire, view.me.participant, ring);
    const tampering = new Promise((resolve) => keys.addEventListener('tampering', () => resolve('tampering')));
    const outdated = new Promise((resolve) => {
      keys.addEventListener('change', () => keys.outdated && resolve('outdated'));
    });
    keys.update(view);
    for (const [event, message] of receive) heard.get(event)?.(message);
    assert.equal(await Promise.race([tampering, outdated]), as);
    await until(() => said.length >= sent.length);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(said, sent);
    assert.equal(keys.code, null);
    keys.close();
  });
}

test('key ids are those of the vectors', () => {
  for (const { epoch, index, label, kid } of vectors.keys) assert.equal(keyId(epoch, index, label), kid);
});

test('frames and chats are sealed and opened as in the vectors', async () => {
  assert.ok(vectors.frames.length >= 7);
  for (const { secret, kid, counter, kind, plain, frame } of [...vectors.frames, ...vectors.chats]) {
    const key = await frameKey(bytes(secret), kid);
    assert.equal(hex(await seal(key, counter, bytes(plain), kind)), frame);
    const parsed = parse(bytes(frame));
    assert.deepEqual([parsed.kid, parsed.counter], [kid, counter]);
    assert.equal(hex(await open(key, parsed, kind)), plain);
  }
});

test('what the vectors refuse does not open', async () => {
  const [first] = vectors.frames;
  const key = await frameKey(bytes(first.secret), first.kid);
  for (const { why, kind, frame } of vectors.refused) {
    const parsed = parse(bytes(frame));
    if (parsed !== null) await assert.rejects(open({ ...key, kid: parsed.kid }, parsed, kind), why);
  }
});

test('counters are accepted as in the vectors', () => {
  const window = new ReplayWindow();
  for (const { counter, accepted } of vectors.window) {
    assert.equal(window.fresh(counter), accepted, `${counter}`);
    if (accepted) window.mark(counter);
  }
});

test('chats are JSON, and base64url on the wire', () => {
  for (const { plain, json, frame, ciphertext } of vectors.chats) {
    assert.deepEqual(JSON.parse(new TextDecoder().decode(bytes(plain))), json);
    assert.equal(toBase64Url(bytes(frame)), ciphertext);
  }
});

test('no bit of a frame can be changed', async () => {
  for (const { secret, kid, kind, frame } of vectors.frames.slice(0, 4)) {
    const key = await frameKey(bytes(secret), kid);
    for (let at = 0; at < frame.length / 2; at += 1) {
      const forged = bytes(frame);
      forged[at] ^= 1;
      const parsed = parse(forged);
      if (parsed !== null) await assert.rejects(open({ ...key, kid: parsed.kid }, parsed, kind), `byte ${at}`);
    }
  }
});

test('what is no encrypted frame is not taken for one', () => {
  const valid = bytes(vectors.frames[0].frame);
  for (let length = 0; length < valid.length; length += 1) assert.equal(parse(valid.slice(0, length)), null);
  for (let length = 1; length < 22; length += 1) assert.equal(parse(valid.slice(-length)), null);
  const padded = new Uint8Array([...valid.slice(0, -5), 0, 7, 0, 0x10, 0x53, 0x4b]);
  assert.equal(parse(padded), null, 'a kid that is not in its shortest form');
});

test('key ids hold epoch, place and label', () => {
  assert.equal(keyId(7, 1, 2), 7 * 256 + 8 + 2);
  assert.equal(keyId(65_536 + 3, 31, 7), 3 * 256 + 255);
});

test('each of the last 64 counters is taken once, in any order', () => {
  const window = new ReplayWindow();
  for (const counter of [0, 5, 3, 70, 7, 69]) {
    assert.ok(window.fresh(counter), `${counter}`);
    window.mark(counter);
    assert.ok(!window.fresh(counter), `${counter} again`);
  }
  assert.ok(!window.fresh(6), 'older than the window');
  assert.ok(window.fresh(2 ** 40));
});
