/** The desk's service worker in this browser: there while somebody is signed in, and on the desk alone. */

const SCRIPT = '/desk/worker.js';
const SCOPE = '/desk';
const CACHE = 'desk-files';

/** Whether this server wants one; the page of one that does names a manifest. */
const wanted = () => document.querySelector('link[rel="manifest"]') !== null;

/** What is not there over plain http, nor in a private window of some browsers. @returns {ServiceWorkerContainer | undefined} */
const workers = () => navigator.serviceWorker;

/** Register it, or remove what is left of one. @returns {Promise<void>} */
export async function install() {
  if (!wanted()) return uninstall();
  const script = `${SCRIPT}?lang=${document.documentElement.lang}`;
  await workers()?.register(script, { scope: SCOPE, updateViaCache: 'none' });
}

/** @returns {Promise<ServiceWorkerRegistration | undefined>} */
export async function registration() {
  return (await workers()?.getRegistrations())?.find((one) => new URL(one.scope).pathname === SCOPE);
}

/** Remove it with all that it keeps. @returns {Promise<void>} */
export async function uninstall() {
  const one = await registration();
  await (await one?.pushManager?.getSubscription())?.unsubscribe();
  await one?.unregister();
  if ('caches' in window) await caches.delete(CACHE);
}
