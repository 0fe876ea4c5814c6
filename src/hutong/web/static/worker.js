// Keeps the page of the payment code at hand for when there is no network. The server puts SHELL, its parts, before this.
const PAGE = "/wallet/code";
const CACHE = "wallet" + SHELL.find((path) => path.startsWith("/static/")).split("/")[2];
const KEYS = "payment-code";
const WAIT_MS = 4000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(Promise.all([forgetOthers(), self.clients.claim()])));

async function forgetOthers() {
  for (const name of await caches.keys()) if (name.startsWith("wallet") && name !== CACHE) await caches.delete(name);
}

// The page says so, when whoever is signed in has what codes are made from.
self.addEventListener("message", (event) => { if (event.data === "keep") event.waitUntil(Promise.all(SHELL.map(keep))); });

async function keep(path) {
  const answer = await fetch(path, { credentials: "same-origin" });
  await kept(path, answer);
}

/** Only what was asked for: who isn't signed in is led elsewhere. */
async function kept(path, answer) {
  if (answer.ok && !answer.redirected) await (await caches.open(CACHE)).put(path, answer.clone());
  return answer;
}

/** Who signs out, or is signed out, leaves nothing behind. */
async function forget() {
  await (await caches.open(CACHE)).delete(PAGE);
  await new Promise((done) => {
    const request = indexedDB.deleteDatabase(KEYS);
    request.onsuccess = request.onerror = request.onblocked = done;
  });
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (pathname === "/wallet/sign-in" || (pathname === "/wallet/sign-out" && request.method === "POST")) {
    event.waitUntil(forget());
  } else if (request.method === "GET" && request.mode === "navigate") {
    event.respondWith(page(request, pathname));
  } else if (SHELL.includes(pathname) && pathname !== PAGE) {
    event.respondWith(caches.match(pathname).then((found) => found || fetch(request).then((answer) => kept(pathname, answer))));
  }
});

/** The network's page; without a network the code's, which works all the same. */
async function page(request, pathname) {
  const stored = await caches.match(PAGE);
  if (!stored) return fetch(request);
  try {
    const asked = fetch(request);
    if (pathname !== PAGE) return await asked;
    return await Promise.race([asked, new Promise((_, late) => setTimeout(late, WAIT_MS))]);
  } catch {
    return pathname === PAGE ? stored : Response.redirect(PAGE);
  }
}
