/** What the others read of one's microphone and camera. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WireError, offline } from '../../../web/static/client/errors.js';
import { OwnIndicators } from '../../../web/static/client/indicators.js';

const ON = { microphone: true, camera: true, screen: false };
const OFF = { microphone: false, camera: false, screen: false };
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** The server has `has`; each request waits in `asked` until it is answered. */
function server() {
  const line = { has: ON, asked: [], answer: null };
  const wire = {
    on: () => () => undefined,
    request: (event, body) => {
      assert.equal(event, 'indicate');
      return new Promise((resolve, reject) => line.asked.push({ body, resolve, reject }));
    },
  };
  line.answer = async (error) => {
    const { body, resolve, reject } = line.asked.shift();
    if (error) reject(error);
    else {
      line.has = body;
      resolve({});
    }
    await settled();
  };
  return { line, own: new OwnIndicators(wire) };
}

test('devices that open faster than the server answers are told all the same', async () => {
  const { line, own } = server();
  own.entered(line.has);
  own.set({ microphone: true });
  own.set({ camera: true });
  assert.equal(line.asked.length, 1);
  while (line.asked.length) await line.answer();
  assert.deepEqual(line.has, ON);
});

test('what the server has is not told', async () => {
  const { line, own } = server();
  own.set(ON);
  assert.equal(line.asked.length, 0, 'outside a room nobody is told');
  own.entered(line.has);
  assert.equal(line.asked.length, 0);
});

test('what was lost with the connection is told after it', async () => {
  const { line, own } = server();
  own.entered(line.has);
  await line.answer(offline());
  own.set({ microphone: true });
  await line.answer(offline());
  assert.equal(line.asked.length, 0);
  own.entered(line.has);
  await line.answer();
  assert.deepEqual(line.has, { ...OFF, microphone: true });
});

test('a server that asks for another try gets one, and one that refuses does not', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { line, own } = server();
  own.entered(line.has);
  await line.answer(new WireError('try_again', 'user', ''));
  context.mock.timers.tick(1_000);
  await line.answer(new WireError('bad_state', 'protocol', ''));
  context.mock.timers.tick(10_000);
  assert.equal(line.asked.length, 0);
  assert.deepEqual(line.has, ON);
});

test('after the consult nobody is told', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { line, own } = server();
  own.entered(line.has);
  own.close();
  await line.answer(new WireError('try_again', 'user', ''));
  own.set({ camera: true });
  context.mock.timers.tick(10_000);
  assert.equal(line.asked.length, 0);
});
