/** Three sizes of one camera at once, for groups: the relay sends each member the one that fits. */

/** @typedef {{scale: number, bitrate: number}} Layer `scale`: by how much smaller than the camera's own picture; bits a second */

const LARGE = 960 * 540;
const MIDDLE = 480 * 270;

/**
 * What to send of a picture of this size. Chromium leaves out the last encodings of a small picture, so the full size has to be
 * among the first.
 * @param {number} pixels
 * @returns {Layer[]} the smallest first, the full size last
 */
export function layers(pixels) {
  const [q, h, f] = [150_000, 500_000, 1_700_000];
  if (pixels >= LARGE) return [{ scale: 4, bitrate: q }, { scale: 2, bitrate: h }, { scale: 1, bitrate: f }];
  if (pixels >= MIDDLE) return [{ scale: 2, bitrate: q }, { scale: 1, bitrate: h * 1.4 }];
  return [{ scale: 1, bitrate: h }];
}

/** Send of this sender's track what its size is good for. @param {RTCRtpSender} sender */
export async function fit(sender) {
  const { width = 0, height = 0 } = sender.track?.getSettings() ?? {};
  if (!width || !height) return;
  const wanted = layers(width * height);
  const parameters = sender.getParameters();
  for (const [at, encoding] of parameters.encodings.entries()) {
    const layer = wanted[at];
    encoding.active = layer !== undefined;
    encoding.scaleResolutionDownBy = layer?.scale ?? 1;
    if (layer) encoding.maxBitrate = layer.bitrate;
  }
  await sender.setParameters(parameters);
}
