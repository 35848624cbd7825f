/** How a language with its own way of writing a time says a moment. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

process.env.TZ = 'UTC';
const messages = { 'date.today': 'aujourd’hui', 'date.moment': '{day} à {time}' };
globalThis.document = { documentElement: { lang: 'fr', dataset: { zone: 'UTC' } } };
globalThis.fetch = async () => ({ json: async () => messages });
const { moment, time } = await import('../../../web/static/pages/dates.js');

test('in French a time in a sentence has an h that no line leaves alone, and in a list a colon', () => {
  const today = new Date('2026-11-28T12:00:00Z');
  assert.equal(moment('2026-11-28T14:30:00Z', today), 'aujourd’hui à 14\u00a0h\u00a030');
  assert.equal(moment('2026-12-04T14:30:00Z', today), 'vendredi 4 décembre à 14\u00a0h\u00a030');
  assert.equal(time(new Date('2026-11-28T14:30:00Z')), '14:30');
});
