/** When a page asks the server again, whatever the machine's clock says. */

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { Hour, serverNow } from '../../../web/static/pages/hour.js';

const HOURS = 3_600_000;

/** A machine whose two clocks are moved by hand; `asked` has the steady time of each question. */
function machine(shift = 0) {
  mock.timers.enable({ apis: ['setTimeout'] });
  const clock = { steady: 0, wall: shift, asked: [] };
  const hour = new Hour(() => clock.asked.push(clock.steady), () => clock.steady, () => clock.wall);
  const pass = (ms) => {
    for (let gone = 0; gone < ms; gone += 1_000) {
      clock.steady += 1_000;
      clock.wall += 1_000;
      mock.timers.tick(1_000);
    }
  };
  return { clock, hour, pass, done: () => mock.timers.reset() };
}

test('a clock that stands wrong by hours changes nothing', () => {
  for (const shift of [-5 * HOURS, -1.1 * HOURS, 0, 1.1 * HOURS, 5 * HOURS]) {
    const { clock, hour, pass, done } = machine(shift);
    hour.set(2_040);
    pass(2_039_000);
    assert.deepEqual(clock.asked, []);
    pass(2_000);
    assert.deepEqual(clock.asked, [2_040_000]);
    done();
  }
});

test('nothing is asked sooner than 20 s again', () => {
  const { clock, hour, pass, done } = machine();
  for (let n = 0; n < 3; n += 1) {
    hour.set(0);
    pass(25_000);
  }
  assert.deepEqual(clock.asked, [20_000, 45_000, 70_000]);
  done();
});

test('a clock that is set while the page waits costs one question at most', () => {
  for (const jump of [-5 * HOURS, 5 * HOURS]) {
    const { clock, hour, pass, done } = machine();
    hour.set(3_600);
    pass(60_000);
    clock.wall += jump;
    pass(60_000);
    assert.equal(clock.asked.length, jump > 0 ? 1 : 0);
    hour.set(3_480);
    pass(3_479_000);
    assert.equal(clock.asked.length, jump > 0 ? 1 : 0);
    pass(2_000);
    assert.equal(clock.asked.length, jump > 0 ? 2 : 1);
    done();
  }
});

test('a machine that slept asks when it is looked at, also where the steady clock slept with it', () => {
  const { clock, hour, pass, done } = machine();
  hour.set(3_600);
  pass(60_000);
  clock.wall += 2 * HOURS;
  hour.look();
  assert.equal(clock.asked.length, 1);
  hour.cancel();
  hour.look();
  pass(HOURS);
  assert.equal(clock.asked.length, 1);
  done();
});

test('what time it is at the server follows from its answer', () => {
  const hours = { opens_at: '2026-11-28T14:15:00+01:00', closes_at: '2026-11-28T15:30:00+01:00' };
  assert.equal(serverNow({ ...hours, opens_in: 600, closes_in: 5_100 }).toISOString(), '2026-11-28T13:05:00.000Z');
  assert.equal(serverNow({ ...hours, opens_in: 0, closes_in: 60 }).toISOString(), '2026-11-28T14:29:00.000Z');
});
