/** What takes the place of the desk's service worker where the operator wants none: it removes what that one kept, and itself. */

{
  const scope = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));

  const remove = async () => {
    await caches.delete('desk-files');
    await scope.registration.unregister();
  };

  scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()));
  scope.addEventListener('activate', (event) => event.waitUntil(remove()));
}
