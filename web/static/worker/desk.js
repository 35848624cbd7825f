/**
 * The desk's service worker. Before it stands `self.said`: what `web/installed.py` says to it, in the language of the desk that
 * registered it. It keeps files whose address is a hash of them, for the notice without a connection, and nothing else. A push message has no content: what is said of it stands here.
 */

{
  /** @typedef {{files: string[], page: string, headers: Record<string, string>, waits: string, icon: string, language: string}} Said */

  const scope = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));
  const said = /** @type {{said: Said}} */ (/** @type {unknown} */ (globalThis)).said;
  const CACHE = 'desk-files';

  const keep = async () => {
    await (await caches.open(CACHE)).addAll(said.files);
    await scope.skipWaiting();
  };

  /** Those of an earlier version go. */
  const tidy = async () => {
    const cache = await caches.open(CACHE);
    const old = (await cache.keys()).filter((one) => !said.files.includes(new URL(one.url).pathname));
    await Promise.all(old.map((one) => cache.delete(one)));
    await scope.registration.navigationPreload?.enable();
  };

  /** @param {FetchEvent} event */
  const page = async (event) => {
    try {
      return (await event.preloadResponse) ?? (await fetch(event.request));
    } catch {
      return new Response(said.page, { headers: said.headers });
    }
  };

  const desks = async () => {
    const windows = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
    return windows.filter((one) => new URL(one.url).pathname === scope.registration.scope.slice(scope.location.origin.length));
  };

  /** Somebody waits: who looks at the desk sees and hears it there. */
  const tell = async () => {
    if ((await desks()).some((one) => one.visibilityState === 'visible')) return;
    const options = { tag: 'waiting', renotify: true, icon: said.icon, lang: said.language };
    await scope.registration.showNotification(said.waits, options);
  };

  const goToDesk = async () => {
    const [desk] = await desks();
    await (desk ? desk.focus() : scope.clients.openWindow('/desk'));
  };

  scope.addEventListener('push', (event) => event.waitUntil(tell()));
  scope.addEventListener('notificationclick', (event) => {
    event.notification.close();
    event.waitUntil(goToDesk());
  });
  scope.addEventListener('install', (event) => event.waitUntil(keep()));
  scope.addEventListener('activate', (event) => event.waitUntil(tidy()));
  scope.addEventListener('fetch', (event) => {
    const { request } = event;
    if (request.mode === 'navigate') event.respondWith(page(event));
    else if (said.files.includes(new URL(request.url).pathname)) {
      event.respondWith(caches.match(request).then((found) => found ?? fetch(request)));
    }
  });
}
