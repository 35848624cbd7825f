import { fromBase64Url, toBase64Url } from '../client/bytes.js';

/** @import {PasskeyAssertion, PasskeyOptions} from '../../types/wire.js' */

/** Whether this browser has passkeys for this address: a bare IP address has none. */
export const hasPasskeys = () => 'PublicKeyCredential' in window && !/^[\d.]+$|:/.test(location.hostname);

/**
 * What a passkey says, whichever the person takes. Results of extensions stay here: those of PRF are secrets.
 * @param {PasskeyOptions} options
 * @returns {Promise<PasskeyAssertion>}
 */
export async function assertion({ challenge, bytes, party }) {
  const publicKey = { challenge: fromBase64Url(bytes), rpId: party, userVerification: /** @type {const} */ ('required') };
  const found = await navigator.credentials.get({ publicKey });
  if (!(found instanceof PublicKeyCredential) || !(found.response instanceof AuthenticatorAssertionResponse)) throw new Error('no passkey');
  const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
  return {
    challenge,
    id: found.id,
    client_data: text(clientDataJSON),
    authenticator_data: text(authenticatorData),
    signature: text(signature),
    user_handle: text(userHandle ?? new ArrayBuffer(0)),
  };
}

/**
 * A new passkey.
 * @param {DOMStringMap} options
 * @returns {Promise<{credential: string, client_data: string, attestation: string}>}
 */
export async function registration({ party, bytes, user, mail, name, known, brand }) {
  const made = await navigator.credentials.create({
    publicKey: {
      challenge: fromBase64Url(bytes ?? ''),
      rp: { id: party, name: brand ?? '' },
      user: { id: fromBase64Url(user ?? ''), name: mail ?? '', displayName: name ?? '' },
      pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: /** @type {const} */ ('public-key'), alg })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: (known ?? '').split(' ').filter(Boolean).map((id) => ({ type: /** @type {const} */ ('public-key'), id: fromBase64Url(id) })),
      attestation: 'none',
    },
  });
  if (!(made instanceof PublicKeyCredential) || !(made.response instanceof AuthenticatorAttestationResponse)) throw new Error('no passkey');
  const { clientDataJSON, attestationObject } = made.response;
  return { credential: made.id, client_data: text(clientDataJSON), attestation: text(attestationObject) };
}

/** @param {ArrayBuffer} buffer */
const text = (buffer) => toBase64Url(new Uint8Array(buffer));
