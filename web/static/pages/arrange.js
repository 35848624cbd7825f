/** Where each face goes: numbers only, of a window and how many there are. */

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Box CSS pixels
 * @typedef {object} Wanted
 * @property {number} width of all there is, CSS pixels
 * @property {number} height
 * @property {number} large how many of the faces are to be large, those that come first
 * @property {number} small how many others there are
 * @property {boolean} screen whether a screen is shared; it is larger than any face
 */

const GAP = 8;
/** A face is lost in a strip: no tile is wider or taller than this, as width by height. */
const WIDEST = 16 / 9;
const TALLEST = 3 / 4;
/** What is large gets so much of the room, if there is something beside it. */
const SHARE = { screen: 0.75, wide: 0.72, tall: 0.58 };

/**
 * The screen first if there is one, then the large faces, then the small ones.
 * @param {Wanted} wanted
 * @returns {{screen: Box | null, faces: Box[]}}
 */
export function arrange({ width, height, large, small, screen }) {
  const all = { x: 0, y: 0, width, height };
  if (screen) {
    if (large + small === 0) return { screen: all, faces: [] };
    const [first, rest] = split(all, SHARE.screen);
    return { screen: first, faces: large && small ? twoKinds(rest, large, small) : grid(rest, large + small) };
  }
  return { screen: null, faces: large && small ? twoKinds(all, large, small) : grid(all, large + small) };
}

/** @param {Box} box @param {number} large @param {number} small @returns {Box[]} */
function twoKinds(box, large, small) {
  const [first, rest] = split(box, box.width > box.height ? SHARE.wide : SHARE.tall);
  return [...grid(first, large), ...grid(rest, small)];
}

/** Along its longer side. @param {Box} box @param {number} share of the first part @returns {[Box, Box]} */
function split({ x, y, width, height }, share) {
  if (width > height) {
    const first = Math.round((width - GAP) * share);
    return [{ x, y, width: first, height }, { x: x + first + GAP, y, width: width - first - GAP, height }];
  }
  const first = Math.round((height - GAP) * share);
  return [{ x, y, width, height: first }, { x, y: y + first + GAP, width, height: height - first - GAP }];
}

/** As many equal tiles, as large as they can be; the last row in the middle. @param {Box} box @param {number} count @returns {Box[]} */
function grid(box, count) {
  const [columns, width, height] = best(box, count);
  const rows = Math.ceil(count / columns);
  const top = box.y + (box.height - rows * height - (rows - 1) * GAP) / 2;
  return Array.from({ length: count }, (_, at) => {
    const row = Math.floor(at / columns);
    const beside = row === rows - 1 ? count - row * columns : columns;
    const left = box.x + (box.width - beside * width - (beside - 1) * GAP) / 2;
    return rounded({ x: left + (at % columns) * (width + GAP), y: top + row * (height + GAP), width, height });
  });
}

/** How many columns make the largest faces, and the size of a tile then. @param {Box} box @param {number} count @returns {[number, number, number]} */
function best(box, count) {
  /** @type {[number, number, number]} */
  let found = [1, 0, 0];
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const across = (box.width - (columns - 1) * GAP) / columns;
    const down = (box.height - (rows - 1) * GAP) / rows;
    const [width, height] = [Math.min(across, down * WIDEST), Math.min(down, across / TALLEST)];
    // A face is about as wide as it is tall.
    if (Math.min(width, height) > Math.min(found[1], found[2])) found = [columns, width, height];
  }
  return found;
}

/** @param {Box} box @returns {Box} */
function rounded({ x, y, width, height }) {
  return { x: Math.round(x), y: Math.round(y), width: Math.floor(width), height: Math.floor(height) };
}

/**
 * How many device pixels high a picture is of which an element shows all, or a part that fills it.
 * @param {{width: number, height: number}} element CSS pixels
 * @param {{width: number, height: number}} picture its own size; nothing yet: 4 by 3
 * @param {'cover' | 'contain'} fit
 * @param {number} ratio device pixels for each CSS pixel
 */
export function shownHeight(element, picture, fit, ratio) {
  const shape = picture.width && picture.height ? picture.width / picture.height : 4 / 3;
  const heights = [element.height, element.width / shape];
  return Math.ceil((fit === 'cover' ? Math.max(...heights) : Math.min(...heights)) * ratio);
}
