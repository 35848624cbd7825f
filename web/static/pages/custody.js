/**
 * Every track that a page opens has one owner from the question to the browser until it is stopped: a browser may take seconds
 * to open a camera, and a person to choose a screen, and the consult that asked may be over by then.
 */

/** The term in which something was asked for has ended; what came of it is stopped already. */
export class Over extends Error {}

export class Custody {
  /** From `begin` to `end`; each question belongs to one. @type {object | null} */ #term = null;
  /** @type {Set<MediaStreamTrack>} */ #held = new Set();
  #picking = false;

  get begun() {
    return this.#term !== null;
  }

  begin() {
    this.#term ??= {};
  }

  /** Stop everything, and whatever is still to come. */
  end() {
    this.#term = null;
    for (const track of this.#held) track.stop();
    this.#held.clear();
  }

  /**
   * Ask for camera, microphone or both.
   * @param {MediaStreamConstraints} constraints
   * @returns {Promise<MediaStreamTrack[]>}
   * @throws {Over} or what `getUserMedia` throws
   */
  open(constraints) {
    return this.#ask(() => navigator.mediaDevices.getUserMedia(constraints));
  }

  /**
   * Ask for a screen, unless the browser's picker is open already: a second one would be a second capture.
   * @param {DisplayMediaStreamOptions} options
   * @returns {Promise<MediaStreamTrack[]>} none while a picker is open
   * @throws {Over} or what `getDisplayMedia` throws
   */
  async pick(options) {
    if (this.#picking) return [];
    this.#picking = true;
    try {
      return await this.#ask(() => navigator.mediaDevices.getDisplayMedia(options));
    } finally {
      this.#picking = false;
    }
  }

  /** Stop one track. @param {MediaStreamTrack | null} track */
  release(track) {
    if (!track) return;
    track.stop();
    this.#held.delete(track);
  }

  /** @param {() => Promise<MediaStream>} question */
  async #ask(question) {
    const term = this.#term;
    if (term === null) throw new Over();
    const tracks = await question().then(
      (stream) => stream.getTracks(),
      (error) => {
        throw term === this.#term ? error : new Over();
      },
    );
    if (term !== this.#term) {
      for (const track of tracks) track.stop();
      throw new Over();
    }
    for (const track of tracks) this.#held.add(track);
    return tracks;
  }
}
