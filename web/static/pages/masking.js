import { slot } from './build.js';
import { header } from './header.js';

/**
 * A picture of a paper, four black boxes over it, and a new picture of both: that alone is sent. The chosen file is read here,
 * is in no form, and leaves this page by no way.
 */

const MOST_BYTES = 50_000_000;
const MOST_PIXELS = 60_000_000;
const LONGEST_SIDE = 16_384;
const SIDE = 1400;
const BLOCK = 16; // of a JPEG: what is inside a box has no share in a block outside
const STEP = 0.01;
const QUALITIES = [0.9, 0.8, 0.6, 0.4];

/** @typedef {{x: number, y: number, width: number, height: number}} Place in parts of the picture */

/** @param {HTMLElement} root */
function masking(root) {
  const canvas = slot(root, 'picture', HTMLCanvasElement);
  const board = slot(root, 'board');
  const editor = slot(root, 'editor');
  const form = slot(root, 'form', HTMLFormElement);
  const refused = slot(root, 'refused');
  const boxes = [...board.querySelectorAll('[data-box]')].filter((one) => one instanceof HTMLElement).map((one) => new Box(one, board));
  root.hidden = false;

  const say = /** @param {string} word */ (word) => {
    refused.textContent = word && (root.dataset[word] ?? '');
    refused.hidden = !word;
  };

  slot(root, 'choose', HTMLInputElement).addEventListener('change', async ({ target }) => {
    const file = target instanceof HTMLInputElement ? target.files?.[0] : null;
    editor.hidden = form.hidden = true;
    if (!file) return;
    try {
      say(await drawn(file, canvas));
    } catch {
      say('unreadable');
    }
    editor.hidden = form.hidden = !refused.hidden;
    for (const box of boxes) box.show(canvas.width / canvas.height);
    if (refused.hidden) boxes[0]?.element.focus();
  });

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (editor.hidden || !form.reportValidity()) return;
    const most = Number(root.dataset.most);
    const made = await burned(canvas, boxes.map((box) => box.place), most);
    if (!made) {
      say('unreadable');
      return;
    }
    const picture = document.createElement('input');
    const carried = new DataTransfer();
    carried.items.add(new File([made], 'masked', { type: 'image/jpeg' }));
    Object.assign(picture, { type: 'file', name: 'picture', hidden: true, files: carried.files });
    const where = /** @type {HTMLInputElement} */ (form.elements.namedItem('boxes'));
    where.value = boxes.map((box) => Object.values(pixels(box.place, canvas)).join(',')).join(' ');
    form.append(picture);
    form.submit();
    picture.remove();
  });
}

/**
 * The file, made small enough, upright and without what else it says; or why not.
 * @param {File} file
 * @param {HTMLCanvasElement} canvas
 */
async function drawn(file, canvas) {
  if (file.size > MOST_BYTES) return 'large';
  const said = await header(file);
  if (said.kind !== 'picture') return said.kind === 'other' ? 'unreadable' : said.kind;
  if (said.width * said.height > MOST_PIXELS || Math.max(said.width, said.height) > LONGEST_SIDE) return 'pixels';
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  const context = canvas.getContext('2d');
  if (!context) return 'unreadable';
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return '';
}

/**
 * Where a box is in the picture, outwards to whole blocks.
 * @param {Place} place
 * @param {HTMLCanvasElement} canvas
 */
function pixels(place, canvas) {
  const down = /** @param {number} at */ (at) => Math.max(0, Math.floor(at / BLOCK) * BLOCK);
  const up = /** @param {number} at @param {number} end */ (at, end) => Math.min(end, Math.ceil(at / BLOCK) * BLOCK);
  const x = down(place.x * canvas.width);
  const y = down(place.y * canvas.height);
  const width = up((place.x + place.width) * canvas.width, canvas.width) - x;
  const height = up((place.y + place.height) * canvas.height, canvas.height) - y;
  return { x, y, width, height };
}

/**
 * A new picture, black where the boxes are.
 * @param {HTMLCanvasElement} canvas
 * @param {Place[]} places
 * @param {number} most bytes
 * @returns {Promise<Blob | null>}
 */
async function burned(canvas, places, most) {
  const made = document.createElement('canvas');
  made.width = canvas.width;
  made.height = canvas.height;
  const context = made.getContext('2d');
  if (!context) return null;
  context.drawImage(canvas, 0, 0);
  context.fillStyle = '#000000';
  for (const place of places) {
    const { x, y, width, height } = pixels(place, canvas);
    context.fillRect(x, y, width, height);
  }
  for (const quality of QUALITIES) {
    const blob = await new Promise((resolve) => made.toBlob(resolve, 'image/jpeg', quality));
    if (blob instanceof Blob && blob.size <= most) return blob;
  }
  return null;
}

/** One of the four, moved and stretched by pointer or by arrow keys. */
class Box {
  /** @param {HTMLElement} element @param {HTMLElement} board */
  constructor(element, board) {
    this.element = element;
    this.board = board;
    const [x = 0, y = 0, width = 0, height = 0] = (element.dataset.place ?? '').split(' ').map(Number);
    /** @type {Place} */
    this.place = { x, y, width, height };
    this.longer = Number(element.dataset.longer);
    this.shorter = Number(element.dataset.shorter);
    this.shape = 1;
    element.addEventListener('keydown', (event) => this.#key(event));
    element.addEventListener('pointerdown', (event) => this.#drag(event));
  }

  /** @param {number} shape width of the picture by its height */
  show(shape) {
    this.shape = shape;
    this.#put(this.place);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = event.ctrlKey ? STEP / 4 : STEP;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const move = moves[/** @type {keyof moves} */ (event.key)];
    if (!move) return;
    event.preventDefault();
    const [right = 0, down = 0] = move;
    this.#by(right, down, event.shiftKey);
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const stretches = event.target instanceof HTMLElement && event.target.classList.contains('grip');
    let { clientX, clientY } = event;
    const moved = /** @param {PointerEvent} to */ (to) => {
      const { width, height } = this.board.getBoundingClientRect();
      this.#by((to.clientX - clientX) / width, (to.clientY - clientY) / height, stretches);
      ({ clientX, clientY } = to);
    };
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener('pointermove', moved);
    const ended = () => this.element.removeEventListener('pointermove', moved);
    this.element.addEventListener('pointerup', ended, { once: true });
    this.element.addEventListener('pointercancel', ended, { once: true });
  }

  /** @param {number} right @param {number} down @param {boolean} stretches */
  #by(right, down, stretches) {
    const { x, y, width, height } = this.place;
    this.#put(stretches ? { x, y, width: width + right, height: height + down } : { x: x + right, y: y + down, width, height });
  }

  /** Within the picture, and no smaller than it may be. @param {Place} wanted */
  #put(wanted) {
    // What is demanded is in parts of the longer side; a place is in parts of its own side.
    const [across, along] = this.shape >= 1 ? [1, this.shape] : [1 / this.shape, 1];
    const isWide = wanted.width * this.shape >= wanted.height;
    const [leastWidth, leastHeight] = isWide ? [this.longer, this.shorter] : [this.shorter, this.longer];
    const within = /** @param {number} value @param {number} least @param {number} most */ (value, least, most) =>
      Math.min(Math.max(value, least), most);
    const width = within(wanted.width, Math.min(1, leastWidth * across), 1);
    const height = within(wanted.height, Math.min(1, leastHeight * along), 1);
    this.place = { x: within(wanted.x, 0, 1 - width), y: within(wanted.y, 0, 1 - height), width, height };
    for (const [name, value] of Object.entries({ left: this.place.x, top: this.place.y, width, height })) {
      this.element.style.setProperty(name, `${value * 100}%`);
    }
  }
}

const root = document.querySelector('[data-slot="masking"]');
if (root instanceof HTMLElement) masking(root);
