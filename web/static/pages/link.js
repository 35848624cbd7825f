/** A patient's link as it was typed, pasted or passed on. The server reads it the same way (`POST /api/v1/join`). */

const INVISIBLE = /[\s\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+/gu;
const RUN = /[A-Za-z0-9_-]{44,}/;
const EMPHASIS = /^([_-]{1,3})[A-Za-z0-9_-]{44}\1$/;
const ESCAPES = /(?:%[0-9a-f]{2})+/gi;
/** Where quoted-printable breaks a line (RFC 2045, 6.7). */
const SOFT_BREAK = /=\r?\n/g;

/** @param {string} escapes */
function decoded(escapes) {
  try {
    return decodeURIComponent(escapes);
  } catch {
    return ' %';
  }
}

/**
 * The 44 characters behind the `#`, without what mail programs, chats and trackers put around them; as it came if they are not there.
 * @param {string} fragment
 */
export function tidyLink(fragment) {
  const unescaped = fragment.replace(ESCAPES, decoded).replace(ESCAPES, decoded); // twice, for a link within a link
  const readable = unescaped.replace(SOFT_BREAK, '').replaceAll(INVISIBLE, '');
  const run = RUN.exec(readable)?.[0];
  if (!run) return fragment;
  const around = EMPHASIS.exec(run)?.[1] ?? '';
  return run.slice(around.length, around.length + 44);
}
