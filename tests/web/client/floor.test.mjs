/** Whose face is large on a phone. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Floor } from '../../../web/static/pages/floor.js';

const PEOPLE = ['practitioner', 'patient', 'interpreter'];
const none = new Set();

test('before anybody speaks it is whoever comes first', () => {
  const floor = new Floor();
  assert.equal(floor.look(PEOPLE, none, 0), null);
  assert.equal(floor.holder, 'practitioner');
});

test('somebody who speaks for a second while whoever is large is silent takes the place', () => {
  const floor = new Floor();
  floor.look(PEOPLE, none, 0);
  assert.equal(floor.look(PEOPLE, new Set(['patient']), 100), 1_000);
  assert.equal(floor.look(PEOPLE, new Set(['patient']), 600), 500);
  assert.equal(floor.holder, 'practitioner');
  floor.look(PEOPLE, new Set(['patient']), 1_100);
  assert.equal(floor.holder, 'patient');
});

test('a word in between moves nothing, nor do two who speak at once', () => {
  const floor = new Floor();
  floor.look(PEOPLE, new Set(['patient']), 0);
  assert.equal(floor.holder, 'patient');
  floor.look(PEOPLE, new Set(['interpreter']), 100);
  floor.look(PEOPLE, new Set(['patient']), 700);
  floor.look(PEOPLE, new Set(['patient', 'interpreter']), 5_000);
  floor.look(PEOPLE, new Set(['patient', 'interpreter']), 9_000);
  assert.equal(floor.holder, 'patient');
});

test('whoever took a breath goes on', () => {
  const floor = new Floor();
  const both = new Set(['patient', 'interpreter']);
  floor.look(PEOPLE, both, 0);
  floor.look(PEOPLE, new Set(['interpreter']), 100);
  floor.look(PEOPLE, both, 300);
  floor.look(PEOPLE, both, 2_000);
  assert.equal(floor.holder, 'patient');
});

test('who is gone leaves the place, to whoever speaks', () => {
  const floor = new Floor();
  floor.look(PEOPLE, new Set(['patient']), 0);
  floor.look(['practitioner', 'interpreter'], new Set(['interpreter']), 10);
  assert.equal(floor.holder, 'interpreter');
  floor.look([], none, 20);
  assert.equal(floor.holder, null);
});
