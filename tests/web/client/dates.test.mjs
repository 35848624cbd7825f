/** Moments as a practice writes them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

globalThis.document = { documentElement: { lang: 'en', dataset: {} } };
globalThis.fetch = async () => ({ json: async () => ({}) });
const { fullDay, time } = await import('../../../web/static/pages/dates.js');

test('in English too the clock has 24 hours, and the day comes before the month', () => {
  const moment = new Date(new Date().getFullYear(), 0, 5, 14, 5);
  assert.equal(time(moment), '14:05');
  assert.match(fullDay(moment), / 5 January$/);
});
