/** The vectors of docs/protocol.md against the browser's modules; run by tests/web/test_client_modules.py. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { toBase64Url } from '../../../web/static/client/bytes.js';
import { ReplayWindow, frameKey, keyId, open, parse, seal } from '../../../web/static/client/frame.js';
import { commitment, transcript, unwrap, verificationCode, wrap } from '../../../web/static/client/keys.js';

const document = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
const vectors = JSON.parse(document.split('## Test vectors')[1].match(/```json\n([\s\S]*?)\n```/)[1]);
const { appointment, epoch } = vectors;

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (value) => Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
const entry = ({ participant, role, key, nonce }) => ({ participant, role, key: bytes(key), nonce: bytes(nonce) });

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

test('commitments are those of the document', async () => {
  for (const member of vectors.members) {
    assert.equal(hex(await commitment(appointment, epoch, entry(member))), member.commitment);
  }
});

test('transcript and code are those of the document, in whatever order the members came', async () => {
  const entries = vectors.members.map(entry);
  for (const order of [entries, entries.toReversed()]) {
    const hash = await transcript(appointment, epoch, order);
    assert.equal(hex(hash), vectors.transcript);
    assert.equal(await verificationCode(hash), vectors.code);
  }
});

test('a secret is wrapped and unwrapped as the document says', async () => {
  const hash = bytes(vectors.transcript);
  for (const from of vectors.members) {
    const to = vectors.members.find((other) => other !== from);
    const [mine, theirs] = [await privateKey(from), await privateKey(to)];
    const ends = [hash, from.participant, to.participant];
    const wrapped = await wrap(mine, bytes(to.key), ...ends, bytes(from.secret), bytes(from.wrap.iv));
    assert.equal(hex(wrapped), from.wrap.wrapped);
    assert.equal(hex(await unwrap(theirs, bytes(from.key), ...ends, wrapped)), from.secret);
  }
});

test('frames are sealed and opened as the document says', async () => {
  assert.ok(vectors.frames.length >= 8);
  for (const { secret, kid, counter, kind, plain, frame } of vectors.frames) {
    const key = await frameKey(bytes(secret), kid);
    assert.equal(hex(await seal(key, counter, bytes(plain), kind)), frame);
    const parsed = parse(bytes(frame));
    assert.deepEqual([parsed.kid, parsed.counter], [kid, counter]);
    assert.equal(hex(await open(key, parsed, kind)), plain);
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
