/** The other person's picture and sound: which part of it is shown, and what to do when the browser keeps it silent. */

const MAY_CROP = 0.5;

/**
 * Fill the window when little is lost by it, else show the whole picture.
 * @param {HTMLVideoElement} video
 */
export function fit(video) {
  const measure = () => {
    const { videoWidth: width, videoHeight: height, clientWidth, clientHeight } = video;
    if (!width || !height || !clientWidth || !clientHeight) return;
    video.dataset.shape = width >= height ? 'wide' : 'tall';
    const ratio = width / height / (clientWidth / clientHeight);
    const lost = 1 - Math.min(ratio, 1 / ratio);
    video.dataset.fit = lost <= MAY_CROP ? 'cover' : 'contain';
  };
  video.addEventListener('resize', measure);
  video.addEventListener('loadedmetadata', measure);
  new ResizeObserver(measure).observe(video);
}

/**
 * Play, muted by nobody. Browsers may want a press first: then `onSilent(true)`.
 * @param {HTMLVideoElement} video
 * @param {(silent: boolean) => void} onSilent
 */
export async function play(video, onSilent) {
  try {
    await video.play();
    onSilent(false);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotAllowedError') onSilent(true);
  }
}

/** Send the sound to this loudspeaker, where the browser can. @param {HTMLVideoElement} video @param {string | undefined} speaker */
export async function useSpeaker(video, speaker) {
  if (!('setSinkId' in video) || speaker === undefined) return;
  try {
    await video.setSinkId(speaker);
  } catch {
    // The loudspeaker is gone: the system's own choice goes on.
  }
}
