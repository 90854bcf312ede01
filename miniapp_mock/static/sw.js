/* Keeps the phone page startable without a network: the page's files are fetched fresh when the network is there, and from
   the store when it is not. The API is never stored. VERSION and FILES are put above by the server. */
const STORE = `huiyuan-phone-${VERSION}`;
const PATIENCE_MS = 2500;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith("huiyuan-phone-") && name !== STORE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || !FILES.includes(url.pathname)) return;
  event.respondWith(freshOrStored(request, url.pathname));
});

async function freshOrStored(request, path) {
  const stored = await caches.match(path);
  const fresh = fetch(request).then((response) => {
    if (response.ok || !stored) return response;
    return stored;
  });
  if (!stored) return fresh;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, stored));
  return Promise.race([fresh.catch(() => stored), late]);
}
