/** Where the faces of a group go. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { arrange, shownHeight } from '../../../web/static/pages/arrange.js';

const PHONE = { width: 374, height: 580 };
const SMALL_PHONE = { width: 344, height: 500 };
const SIDEWAYS = { width: 820, height: 256 };
const DESK = { width: 1424, height: 710 };
const WINDOWS = { PHONE, SMALL_PHONE, SIDEWAYS, DESK };

const edges = ({ x, y, width, height }) => ({ left: x, top: y, right: x + width, bottom: y + height });
const overlap = (one, other) => {
  const [a, b] = [edges(one), edges(other)];
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
};
const area = ({ width, height }) => width * height;

test('from one to eleven others, everything is inside, nothing overlaps, and no face is too small for a finger', () => {
  for (const [name, window] of Object.entries(WINDOWS)) {
    for (let people = 1; people <= 12; people += 1) {
      for (const large of [0, 1, 2].filter((count) => count <= people)) {
        for (const screen of [false, true]) {
          const { screen: shared, faces } = arrange({ ...window, large, small: people - large, screen });
          const what = `${name}, ${people} people, ${large} large, screen ${screen}`;
          assert.equal(faces.length, people, what);
          assert.equal(shared !== null, screen, what);
          const boxes = shared ? [shared, ...faces] : faces;
          for (const box of boxes) {
            const { left, top, right, bottom } = edges(box);
            assert.ok(left >= 0 && top >= 0 && right <= window.width && bottom <= window.height, what);
          }
          for (const [at, box] of boxes.entries()) {
            assert.ok(boxes.slice(at + 1).every((other) => !overlap(box, other)), what);
          }
          if (!screen) for (const { width, height } of faces) assert.ok(Math.min(width, height) >= 44, `${what}: ${width}x${height}`);
        }
      }
    }
  }
});

test('what is large is larger than what is small, and a screen larger than all', () => {
  for (const window of Object.values(WINDOWS)) {
    const { faces: [one, two, ...rest] } = arrange({ ...window, large: 2, small: 5, screen: false });
    assert.equal(area(one), area(two));
    assert.ok(rest.every((box) => area(box) < area(one)));
    const { screen, faces } = arrange({ ...window, large: 0, small: 5, screen: true });
    assert.ok(faces.every((box) => area(box) < area(screen)));
  }
});

test('equal faces fill their window as far as faces do, and none is a strip', () => {
  const { faces } = arrange({ ...DESK, large: 0, small: 4, screen: false });
  assert.deepEqual(faces.map(({ x }) => x), [faces[0].x, faces[1].x, faces[0].x, faces[1].x], 'two by two');
  for (const window of Object.values(WINDOWS)) {
    for (let people = 1; people <= 12; people += 1) {
      for (const { width, height } of arrange({ ...window, large: 0, small: people, screen: false }).faces) {
        assert.ok(width / height <= 1.79 && width / height >= 0.74, `${people}: ${width}x${height}`);
      }
    }
  }
});

test('a screen alone has everything', () => {
  assert.deepEqual(arrange({ ...DESK, large: 0, small: 0, screen: true }), { screen: { x: 0, y: 0, ...DESK }, faces: [] });
});

test('how high a picture is shown counts what is cut off, and the pixels of the device', () => {
  const wide = { width: 1280, height: 720 };
  assert.equal(shownHeight({ width: 200, height: 200 }, wide, 'cover', 1), 200);
  assert.equal(shownHeight({ width: 320, height: 90 }, wide, 'cover', 2), 360, 'above and below are cut off');
  assert.equal(shownHeight({ width: 320, height: 400 }, wide, 'contain', 1), 180);
  assert.equal(shownHeight({ width: 400, height: 100 }, { width: 0, height: 0 }, 'cover', 1), 300, 'before the first frame');
  assert.equal(shownHeight({ width: 0, height: 0 }, wide, 'cover', 3), 0, 'not shown');
});
