// Regions that refresh themselves. Mark them with data-live and an id, next to hx-get and hx-trigger="every 5s".
// An unchanged region is asked for with its tag and answered 304, so nothing on the screen moves. A region somebody
// types in is left alone. When the server has not been heard for 30 s the screen says so.
(() => {
  const tags = new Map();
  const STALE_AFTER = 30_000;
  let heard = Date.now();

  const isLive = (element) => element instanceof Element && element.hasAttribute("data-live");
  const key = (element) => `${element.id} ${element.getAttribute("hx-get")}`;
  const typing = (region) => {
    const at = document.activeElement;
    return region.contains(at) && at.matches("input, textarea, select, [contenteditable]");
  };

  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, verb, headers } = event.detail;
    if (verb === "get" && isLive(elt) && tags.has(key(elt))) headers["If-None-Match"] = tags.get(key(elt));
  });

  // Signed out meanwhile: the answer is the sign-in page, which belongs into no region. Load this page again; the
  // server sends it through signing in and back here.
  const isSignIn = (xhr) => xhr.responseURL && new URL(xhr.responseURL).pathname === document.documentElement.dataset.login;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isSignIn(event.detail.xhr)) return;
    event.detail.shouldSwap = false;
    event.stopImmediatePropagation();
    location.reload();
  });

  const open = new Map();
  document.addEventListener("htmx:beforeSwap", (event) => {
    const region = event.detail.requestConfig.elt;
    if (!isLive(region) || !event.detail.shouldSwap) return;
    if (event.detail.xhr.status >= 400 || typing(event.detail.target)) {
      event.detail.shouldSwap = false;
      tags.delete(key(region));
      return;
    }
    open.set(region.id, [...region.querySelectorAll("details[open][id]")].map((details) => details.id));
    const tag = event.detail.xhr.getResponseHeader("ETag");
    if (tag) tags.set(key(region), tag);
    else tags.delete(key(region));
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const region = event.detail.requestConfig?.elt;
    if (!isLive(region)) return;
    for (const id of open.get(region.id) ?? []) document.getElementById(id)?.setAttribute("open", "");
  });

  // A form that was asked for takes the focus; one that was refused shows why.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "do") return;
    const band = event.detail.target.querySelector(".banner");
    if (band) band.scrollIntoView({ block: "center" });
    else event.detail.target.querySelector("textarea, input:not([type=hidden]), select, button")?.focus();
  });

  const offline = (isOff) => {
    for (const net of document.querySelectorAll(".net[data-net]")) net.hidden = (net.dataset.net === "off") !== isOff;
  };
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.xhr || event.detail.xhr.status === 0) return;
    heard = Date.now();
    offline(false);
  });
  document.addEventListener("htmx:sendError", () => offline(true));
  addEventListener("offline", () => offline(true));
  addEventListener("online", () => offline(false));
  addEventListener("DOMContentLoaded", () => offline(!navigator.onLine));

  setInterval(() => {
    const band = document.getElementById("stale");
    if (!band || !document.querySelector("[data-live]")) return;
    const isStale = !document.hidden && Date.now() - heard > STALE_AFTER;
    if (isStale && band.hidden) {
      const at = new Date(heard);
      band.querySelector("time").textContent =
        `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
    }
    band.hidden = !isStale;
  }, 5_000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) heard = Date.now(); });
})();
