/** Which obstacle is told in which browser: what may work is tried, and each remedy is true. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inAnotherApp, obstacleOf } from '../../../web/static/pages/browsers.js';

const IOS = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const ANDROID = 'Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/AP4A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0';
const AGENTS = {
  chrome: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
  firefox: 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0',
  mac: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
  epiphany: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
  safari: `${IOS} Version/18.5 Mobile/15E148 Safari/604.1`,
  chromeIos: `${IOS} CriOS/137.0.7151.51 Mobile/15E148 Safari/604.1`,
  firefoxIos: `${IOS} FxiOS/139.0 Mobile/15E148 Safari/605.1.15`,
  bareIos: `${IOS} Mobile/15E148`,
  teamsIos: `${IOS} Mobile/15E148 TeamsMobile-iOS`,
  outlookIos: `${IOS} Mobile/15E148 Outlook-iOS/745.0`,
  facebookIos: `${IOS} Mobile/15E148 [FBAN/FBIOS;FBAV/500.0.0;FBDV/iPhone14,5]`,
  androidView: `${ANDROID} Chrome/156.0.0.0 Mobile Safari/537.36`,
  ownAndroid: `${ANDROID} Chrome/156.0.0.0 Mobile Safari/537.36 SpreekkamerApp/1.0`,
  ownIos: `${IOS} Mobile/15E148 SpreekkamerApp/2`,
  instagramAndroid: `${ANDROID} Chrome/156.0.0.0 Mobile Safari/537.36 Instagram 380.0`,
};

/** @param {keyof typeof AGENTS} name @param {string | null} lacking @param {object} [more] */
const at = (name, lacking = null, more = {}) => obstacleOf({ agent: AGENTS[name], lacking, devices: true, ...more });

test('where everything is there, it is tried, also inside other apps and in one of a practice', () => {
  for (const name of ['chrome', 'firefox', 'mac', 'safari', 'chromeIos', 'bareIos', 'teamsIos', 'outlookIos', 'androidView', 'ownAndroid', 'ownIos']) {
    assert.equal(at(name), null, name);
  }
});

test('apps that give no camera are refused, and others where something is missing, with the way out of the app', () => {
  for (const name of ['facebookIos', 'instagramAndroid']) assert.equal(at(name), 'in-app', name);
  for (const name of ['bareIos', 'teamsIos', 'outlookIos', 'androidView']) {
    assert.equal(at(name, null, { devices: false }), 'in-app', name);
    assert.equal(at(name, 'no-frame-encryption'), 'in-app', name);
    assert.equal(at(name, 'no-webrtc'), 'in-app', name);
  }
});

test("a practice's own app that lacks something is told what, not to leave itself", () => {
  assert.equal(at('ownAndroid', 'no-frame-encryption'), 'outdated');
  assert.equal(at('ownAndroid', null, { devices: false }), 'switched-off');
  assert.equal(at('ownIos', 'no-webrtc'), 'lockdown');
});

test('WebRTC that is switched off is not called old', () => {
  for (const name of ['chrome', 'firefox']) {
    assert.equal(at(name, 'no-webrtc'), 'switched-off', name);
    assert.equal(at(name, null, { devices: false }), 'switched-off', name);
  }
  for (const name of ['safari', 'mac', 'chromeIos']) assert.equal(at(name, 'no-webrtc'), 'lockdown', name);
  assert.equal(at('epiphany', 'no-webrtc'), 'no-webrtc');
});

test('only a browser that cannot encrypt frames is too old', () => {
  for (const name of ['chrome', 'firefox', 'safari', 'mac', 'epiphany']) assert.equal(at(name, 'no-frame-encryption'), 'outdated', name);
  assert.equal(at('chrome', 'insecure-context'), 'insecure');
});

test('an icon on the home screen is no other app', () => {
  assert.equal(inAnotherApp({ agent: AGENTS.bareIos, homescreen: true }), false);
  assert.equal(inAnotherApp({ agent: AGENTS.bareIos }), true);
  for (const name of ['safari', 'chromeIos', 'firefoxIos', 'chrome', 'firefox', 'mac', 'ownIos']) {
    assert.equal(inAnotherApp({ agent: AGENTS[name] }), false, name);
  }
});
