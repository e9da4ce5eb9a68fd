// Shows a push while no page of OpsDesk is open, and opens the answer page. It keeps no page and answers for nobody.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let said = {};
  try { said = event.data ? event.data.json() : {}; } catch { said = {}; }
  event.waitUntil(self.registration.showNotification(said.title || "OpsDesk", {
    body: said.body || "",
    lang: said.lang || "en",
    tag: said.tag || "opsdesk",
    renotify: true, // the newest takes the place of the one before, and rings again
    requireInteraction: Boolean(said.stays),
    data: { url: said.url || "/" },
    actions: said.action ? [{ action: "open", title: said.action }] : [],
  }));
});

// A tap, on the words or on the button, opens the page that answers. Only the button there says "seen".
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const where = new URL(event.notification.data.url, self.location.origin);
  event.waitUntil(self.clients.openWindow(self.location.origin + where.pathname + where.search));
});
