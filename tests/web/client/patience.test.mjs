/** How long a picture waits where packets are lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Patience, wait } from '../../../web/static/client/patience.js';

/** A picture of 100 packets an interval. */
class Picture {
  seen = { freezes: 0, asked: 0, packets: 0 };
  patience = new Patience({ ...this.seen });

  /** @param {{freezes?: number, asked?: number}} now of one interval */
  pass({ freezes = 0, asked = 0 }, times = 1) {
    let waits = this.patience.wait;
    for (; times > 0; times -= 1) {
      this.seen = {
        freezes: this.seen.freezes + freezes,
        asked: this.seen.asked + asked,
        packets: this.seen.packets + 100,
      };
      waits = this.patience.update({ ...this.seen });
    }
    return waits;
  }
}

test('a picture that stands still for want of packets waits longer each time, up to a bound', () => {
  const picture = new Picture();
  assert.equal(picture.pass({ freezes: 1, asked: 5 }), 120);
  assert.equal(picture.pass({ freezes: 2, asked: 5 }), 240);
  assert.equal(picture.pass({ freezes: 1, asked: 5 }), 300);
  assert.equal(picture.pass({ freezes: 9, asked: 50 }), 300);
});

test('what stands still although nothing was lost does not wait: it would not help', () => {
  assert.equal(new Picture().pass({ freezes: 3 }, 20), 0);
});

test('losses that are made good in time cost no waiting', () => {
  assert.equal(new Picture().pass({ asked: 5 }, 20), 0);
});

test('it waits as long as packets are lost, and less after half a minute without, step by step', () => {
  const picture = new Picture();
  picture.pass({ freezes: 1, asked: 5 }, 2);
  assert.equal(picture.pass({ asked: 5 }, 100), 240);
  assert.equal(picture.pass({}, 14), 240);
  assert.equal(picture.pass({}), 120);
  assert.equal(picture.pass({}, 15), 0);
});

test('each picture has its own, and a receiver is told only what changes', () => {
  const told = [];
  const receiver = (mid) => ({
    set jitterBufferTarget(ms) {
      told.push([mid, ms]);
    },
  });
  const transceivers = ['1', '2', '3'].map((mid) => ({ mid, receiver: receiver(mid) }));
  const pc = { getTransceivers: () => transceivers };
  const report = (mid, freezeCount) => ({ kind: 'video', mid, freezeCount, nackCount: 9 * freezeCount, packetsReceived: 500 });
  wait(pc, [report('1', 1), report('2', 0), { kind: 'audio', mid: '3', nackCount: 3 }]);
  wait(pc, [report('1', 1), report('2', 0)]);
  assert.deepEqual(told, [['1', 120]]);
});
