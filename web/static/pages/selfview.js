/** The own picture; in the consult a small window that is dragged, or moved with the arrow keys, from corner to corner. */

const CORNERS = /** @type {const} */ (['top-left', 'top-right', 'bottom-left', 'bottom-right']);

/** A stream that has the picture already stays: another one would flicker. @param {HTMLVideoElement} video @param {MediaStreamTrack | null} camera */
export function showCamera(video, camera) {
  const shown = video.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks()[0] : null;
  if (shown !== camera) video.srcObject = camera && new MediaStream([camera]);
}

/**
 * @param {HTMLElement} self
 * @param {HTMLElement} handle what is dragged and takes the keys
 */
export function movable(self, handle) {
  /** @type {{x: number, y: number} | null} */
  let from = null;

  handle.addEventListener('pointerdown', (event) => {
    from = { x: event.clientX, y: event.clientY };
    handle.setPointerCapture(event.pointerId);
    self.dataset.moving = '';
  });

  handle.addEventListener('pointermove', (event) => {
    if (from) self.style.translate = `${event.clientX - from.x}px ${event.clientY - from.y}px`;
  });

  const drop = () => {
    if (!from) return;
    from = null;
    const box = self.getBoundingClientRect();
    const stage = /** @type {HTMLElement} */ (self.parentElement).getBoundingClientRect();
    const left = box.left + box.width / 2 < stage.left + stage.width / 2;
    const top = box.top + box.height / 2 < stage.top + stage.height / 2;
    delete self.dataset.moving;
    self.style.translate = '';
    self.dataset.corner = `${top ? 'top' : 'bottom'}-${left ? 'left' : 'right'}`;
  };
  handle.addEventListener('pointerup', drop);
  handle.addEventListener('pointercancel', drop);

  handle.addEventListener('keydown', (event) => {
    const [vertical, horizontal] = (self.dataset.corner ?? CORNERS[3]).split('-');
    /** @type {Record<string, string>} */
    const moved = {
      ArrowLeft: `${vertical}-left`,
      ArrowRight: `${vertical}-right`,
      ArrowUp: `top-${horizontal}`,
      ArrowDown: `bottom-${horizontal}`,
    };
    if (!moved[event.key]) return;
    event.preventDefault();
    self.dataset.corner = moved[event.key];
  });
}
