/** Counts the frames that end in the trailer of an encrypted one, and those that do not. */

import { parse } from '/static/client/frame.js';

addEventListener('rtctransform', ({ transformer }) => {
  const inspect = new TransformStream({
    transform(frame) {
      postMessage(parse(new Uint8Array(frame.data)) === null ? 'plain' : 'encrypted');
    },
  });
  transformer.readable.pipeThrough(inspect).pipeTo(transformer.writable);
});
