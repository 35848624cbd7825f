/** Sharing a screen, window or tab: one track, until the person or the browser's own bar stops it. */

export const canShare = () => 'getDisplayMedia' in (navigator.mediaDevices ?? {});

/**
 * Ask which screen to share.
 * @param {() => void} onStopped the browser's own bar ended it
 * @returns {Promise<MediaStreamTrack | null>} null when the person chose none
 */
export async function pickScreen(onStopped) {
  let stream;
  try {
    stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
  } catch {
    return null;
  }
  const [track] = stream.getVideoTracks();
  if (!track) return null;
  // Text has to stay sharp; a slide that moves may move less smoothly.
  track.contentHint = 'detail';
  track.addEventListener('ended', onStopped);
  return track;
}
