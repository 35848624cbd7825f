/** All that a page of its own needs; README.md beside this file describes it. */

export { Consult } from './consult.js';
export { Desk } from './desk.js';
export { WireError } from './errors.js';
export * as rest from './rest.js';
export { forgetResume, storedResume } from './resume.js';
export { Signaling } from './signaling.js';
export { encryptionSupport } from './support.js';
