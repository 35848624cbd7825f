/** A patient's link as it was typed, pasted or passed on. The server reads it the same way (`POST /api/v1/join`). */

const INVISIBLE = /[\s\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+/gu;
const RUN = /[A-Za-z0-9_-]{44,}/;
const EMPHASIS = /^([_-])[A-Za-z0-9_-]{44}\1$/;

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
  const readable = fragment.replace(/(?:%[0-9a-f]{2})+/gi, decoded).replaceAll(INVISIBLE, '');
  const run = RUN.exec(readable)?.[0];
  if (!run) return fragment;
  return (EMPHASIS.test(run) ? run.slice(1) : run).slice(0, 44);
}
