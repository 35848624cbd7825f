import { el } from './build.js';
import { learn, t } from './language.js';

/** @import {Capture} from './capture.js' */

await learn('devices');

/** @param {string} problem */
const words = (problem) => (problem === 'denied' || problem === 'missing' ? problem : 'busy');

/**
 * Fill `place` with one choice per kind of device and keep it in step with what is plugged in.
 * @param {HTMLElement} place
 * @param {Capture} capture
 * @param {string} prefix makes the ids of the fields unique in the page
 * @returns {() => Promise<void>} draws them anew
 */
export function deviceFields(place, capture, prefix) {
  const canChooseSpeaker = 'setSinkId' in HTMLMediaElement.prototype;

  /** @param {'camera' | 'microphone' | 'speaker'} kind @param {MediaDeviceInfo[]} devices */
  function field(kind, devices) {
    const id = `${prefix}-${kind}`;
    const current = kind === 'speaker' ? undefined : capture[kind]?.getSettings().deviceId;
    const selected = current ?? capture.chosen[kind];
    const options = devices.map((device, index) =>
      el('option', {
        value: device.deviceId,
        textContent: device.label || t(`devices.${kind}.unnamed`, { n: index + 1 }),
        selected: device.deviceId === selected,
      }),
    );
    if (!options.length) options.push(el('option', { value: '', textContent: t(`devices.${kind}.none`) }));
    const change = (/** @type {Event} */ event) =>
      capture.choose(kind, /** @type {HTMLSelectElement} */ (event.target).value);
    const select = el('select', { id, disabled: devices.length === 0, 'data-testid': `choose-${kind}`, on: { change } }, ...options);
    const { refused } = capture;
    const why = refused?.kind === kind ? el('p', { className: 'problem', role: 'alert', textContent: t(`devices.refused.${words(refused.problem)}`) }) : null;
    return el('div', { className: 'field' }, el('label', { for: id, textContent: t(`devices.${kind}`) }), select, why);
  }

  return async function draw() {
    const { camera, microphone, speaker } = await capture.devices();
    const fields = [field('camera', camera), field('microphone', microphone)];
    if (canChooseSpeaker && speaker.length) fields.push(field('speaker', speaker));
    const focused = place.contains(document.activeElement) ? document.activeElement?.id : null;
    place.replaceChildren(...fields);
    if (focused) document.getElementById(focused)?.focus();
  };
}
