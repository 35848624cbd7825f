/** The time that the dialog for a new appointment proposes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { firstFree } from '../../../web/static/pages/overlap.js';

const at = (clock) => Date.parse(`2027-03-01T${clock}:00+01:00`);
const planned = (clock, minutes, state = 'planned') => ({ starts_at: new Date(at(clock)).toISOString(), minutes, state });

for (const [what, known, proposed] of [
  ['nothing else', [], '10:05'],
  ['one that is over by then', [planned('09:45', 20)], '10:05'],
  ['one that runs', [planned('10:00', 20)], '10:20'],
  ['one that begins before ours would end', [planned('10:20', 45)], '11:05'],
  ['one after another, in any order', [planned('10:40', 20), planned('10:00', 20), planned('10:20', 20)], '11:00'],
  ['a gap that is too short', [planned('10:00', 20), planned('10:30', 30)], '11:00'],
  ['a gap that is long enough', [planned('10:00', 20), planned('10:40', 30)], '10:20'],
  ['an odd end', [planned('10:00', 17)], '10:20'],
  ['one that has ended', [planned('10:00', 60, 'ended')], '10:05'],
]) {
  test(`beside ${what}`, () => assert.equal(firstFree(at('10:05'), 20, known, 5), at(proposed)));
}

test('what was not understood stays so', () => assert.ok(Number.isNaN(firstFree(NaN, 20, [planned('10:00', 20)], 5))));
