import { encryptionSupport } from '../client/support.js';

/** Browsers inside these apps ask nobody for a camera, or lose it: they must be left for a real one. */
const WITHOUT_CAMERA = /\b(FBAN|FBAV|FB_IAB|Instagram|WhatsApp|Line\/|Snapchat|TikTok|musical_ly|LinkedInApp|Twitter|GSA\/)/;
/** Inside some app, which may have done what a camera needs, or not: Android's mark, and the mail and chat apps that set one. */
const WEB_VIEW = /; wv\)|\bOutlook-(?:iOS|Android)\b|\bTeamsMobile-|\bPKeyAuth\//;
/** How a practice's own app says that it did (`docs/apps.md`). */
const OWN_APP = /\bSpreekkamerApp\/\d/;
const APPLE_PHONE = /\b(?:iPhone|iPad|iPod)\b/;

/**
 * @typedef {object} Surroundings
 * @property {string} agent `navigator.userAgent`
 * @property {ReturnType<typeof encryptionSupport>['reason']} lacking
 * @property {boolean} devices whether there is a `navigator.mediaDevices`
 * @property {boolean} [homescreen] opened from an icon on the home screen, where Safari leaves its own name out
 * @typedef {'in-app' | 'insecure' | 'outdated' | 'lockdown' | 'no-webrtc' | 'switched-off'} Obstacle
 */

/** Whether this page is shown inside another app. @param {Pick<Surroundings, 'agent' | 'homescreen'>} surroundings */
export function inAnotherApp({ agent, homescreen = false }) {
  if (OWN_APP.test(agent)) return false;
  // Every browser on these phones calls itself Safari; a bare web view does not.
  const bare = APPLE_PHONE.test(agent) && !/\bSafari\//.test(agent) && !homescreen;
  return bare || WEB_VIEW.test(agent) || WITHOUT_CAMERA.test(agent);
}

/**
 * Why a consult is not possible here; what may work is tried.
 *
 * `in-app`: inside an app that gives no camera. `insecure`: no https. `outdated`: cannot encrypt frames, so too old. `lockdown`: Apple's
 * Lockdown Mode takes WebRTC away. `no-webrtc`: a browser that has none (WebKitGTK). `switched-off`: a setting, an add-on or an
 * administrator took it away.
 * @param {Surroundings} surroundings
 * @returns {Obstacle | null}
 */
export function obstacleOf(surroundings) {
  const { agent, lacking, devices } = surroundings;
  if (lacking === 'insecure-context') return 'insecure';
  if (WITHOUT_CAMERA.test(agent) && !OWN_APP.test(agent)) return 'in-app';
  if (lacking === null && devices) return null;
  if (inAnotherApp(surroundings)) return 'in-app';
  if (lacking === 'no-frame-encryption' || lacking === 'no-web-crypto') return 'outdated';
  if (lacking === null) return 'switched-off';
  const webkit = /\bAppleWebKit\//.test(agent) && !/\bChrom(?:e|ium)\//.test(agent);
  if (webkit && (APPLE_PHONE.test(agent) || /\bMacintosh\b/.test(agent))) return 'lockdown';
  return webkit ? 'no-webrtc' : 'switched-off';
}

/** @returns {Surroundings} */
function surroundings() {
  return {
    agent: navigator.userAgent,
    lacking: encryptionSupport().reason,
    devices: Boolean(navigator.mediaDevices?.getUserMedia),
    homescreen: 'standalone' in navigator && navigator.standalone === true,
  };
}

export const obstacle = () => obstacleOf(surroundings());

/** Which set of steps unblocks the camera here. @returns {'in-app' | 'safari' | 'firefox' | 'chrome'} */
export function family() {
  const around = surroundings();
  if (inAnotherApp(around)) return 'in-app';
  if (APPLE_PHONE.test(around.agent) || (/Safari/.test(around.agent) && !/Chrom/.test(around.agent))) return 'safari';
  return /Firefox/.test(around.agent) ? 'firefox' : 'chrome';
}
