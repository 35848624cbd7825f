/**
 * The desk's service worker. Before it stands `self.said`: what `web/installed.py` says to it, in the language of the desk that
 * registered it. It keeps files whose address is a hash of them, for the notice without a connection, and nothing else.
 */

{
  /** @typedef {{files: string[], page: string, headers: Record<string, string>}} Said */

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
