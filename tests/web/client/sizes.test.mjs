/** How often the relay is told how large a picture is shown. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { offline } from '../../../web/static/client/errors.js';
import { Sizes } from '../../../web/static/client/sizes.js';

const of = (height) => [{ slot: 0, height, pinned: false }];

/** A clock by hand. */
function told(context, answer = async () => undefined) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const heard = [];
  let now = 1_000;
  const sizes = new Sizes((what) => {
    heard.push([now, what[0].height]);
    return answer();
  }, () => now);
  const pass = async (ms) => {
    for (let step = 0; step < ms; step += 10) {
      now += 10;
      context.mock.timers.tick(10);
      for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
    }
  };
  return { heard, sizes, pass };
}

test('of a window that is drawn larger, four sizes a second are told, and the last one always', async (context) => {
  const { heard, sizes, pass } = told(context);
  for (let height = 1; height <= 100; height += 1) {
    sizes.set(of(height));
    await pass(10);
  }
  await pass(1_000);
  assert.equal(heard.at(-1)[1], 100);
  assert.ok(heard.length >= 4 && heard.length <= 6, String(heard.length));
  for (const [at, [when]] of heard.entries()) assert.ok(at === 0 || when - heard[at - 1][0] >= 250);
});

test('what is told already is not told again, except to another connection', async (context) => {
  const { heard, sizes, pass } = told(context);
  sizes.set(of(180));
  await pass(500);
  sizes.set(of(180));
  await pass(500);
  assert.equal(heard.length, 1);
  sizes.forget();
  await pass(500);
  assert.equal(heard.length, 2);
});

test('what did not arrive is told again, as it is then', async (context) => {
  let lost = true;
  const { heard, sizes, pass } = told(context, async () => {
    if (lost) throw offline();
  });
  sizes.set(of(180));
  await pass(300);
  sizes.set(of(360));
  lost = false;
  await pass(1_500);
  assert.deepEqual(heard.map(([, height]) => height), [180, 360]);
});

test('what did not arrive is told again by itself', async (context) => {
  let tries = 0;
  const { heard, sizes, pass } = told(context, async () => {
    tries += 1;
    if (tries < 3) throw offline();
  });
  sizes.set(of(180));
  await pass(5_000);
  assert.equal(heard.length, 3);
});

test('nothing is told when there is nothing to be seen, nor after the end', async (context) => {
  const { heard, sizes, pass } = told(context);
  sizes.set([]);
  await pass(500);
  sizes.set(of(90));
  sizes.close();
  await pass(1_000);
  assert.deepEqual(heard, []);
});
