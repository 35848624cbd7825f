import { encryptionSupport } from '../client/support.js';

/** Browsers inside other apps: they have no camera, or lose it, and must be left for a real one. */
const IN_APP = /\b(FBAN|FBAV|FB_IAB|Instagram|WhatsApp|Line\/|Snapchat|TikTok|musical_ly|LinkedInApp|Twitter|GSA\/|; wv\))/;

/**
 * Why a consult is not possible in this browser: `in-app`, `insecure`, `outdated`, or null when it is.
 * @returns {'in-app' | 'insecure' | 'outdated' | null}
 */
export function obstacle() {
  const { ok, reason } = encryptionSupport();
  if (reason === 'insecure-context') return 'insecure';
  if (IN_APP.test(navigator.userAgent)) return 'in-app';
  return ok && navigator.mediaDevices ? null : 'outdated';
}
