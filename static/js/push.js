// Signs this browser up for pushes. The form carries what the browser gives; the server keeps it.
(() => {
  const section = document.querySelector("[data-push-key]");
  if (!section) return;
  const form = section.querySelector("form");
  const button = form.querySelector("button");
  const say = (name) => section.querySelectorAll("[data-says]").forEach((one) => { one.hidden = one.dataset.says !== name; });
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const bytes = (base64) => Uint8Array.from(atob(base64.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const key = section.dataset.pushKey;
  // In a plant without the internet a browser asks its push service for ever and says nothing.
  const within = (seconds, asked) => Promise.race([asked, new Promise((_, no) => setTimeout(no, seconds * 1000))]);

  const named = () => {
    const agent = navigator.userAgent;
    const what = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS", "Mac"], ["Linux", "Linux"]];
    const found = what.find(([mark]) => agent.includes(mark));
    return found ? found[1] : "";
  };

  const ours = async () => {
    const worker = await navigator.serviceWorker.register("/sw.js", { scope: "/" });
    await navigator.serviceWorker.ready;
    const known = await worker.pushManager.getSubscription();
    if (known && known.options.applicationServerKey && text(known.options.applicationServerKey) !== key) {
      await known.unsubscribe(); // our key was changed: what it was signed up with shows nothing any more
      return [worker, null];
    }
    return [worker, known];
  };

  const mark = (endpoint) => document.querySelectorAll("[data-endpoint]").forEach((row) => {
    if (row.dataset.endpoint === endpoint) row.querySelector("[data-this]").hidden = false;
  });

  const start = async () => {
    if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) { say("cannot"); return; }
    if (!form.elements.name.value) form.elements.name.value = named();
    button.hidden = false;
    say(Notification.permission === "denied" ? "denied" : "");
    const [, known] = await ours();
    if (known) mark(known.endpoint);
  };

  form.addEventListener("submit", async (event) => {
    if (form.elements.endpoint.value) return;
    event.preventDefault();
    button.disabled = true;
    say("");
    try {
      if (await Notification.requestPermission() !== "granted") { say("denied"); return; }
      const [worker, known] = await ours();
      say("asking");
      const signed = known || await within(20, worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) }));
      form.elements.endpoint.value = signed.endpoint;
      form.elements.p256dh.value = text(signed.getKey("p256dh"));
      form.elements.auth.value = text(signed.getKey("auth"));
      form.requestSubmit();
    } catch {
      say("failed");
    } finally {
      button.disabled = false;
    }
  });

  document.addEventListener("submit", async (event) => {
    const row = event.target.closest("[data-endpoint]");
    if (!row || row.querySelector("[data-this]").hidden || row.dataset.done) return;
    event.preventDefault();
    row.dataset.done = "1";
    try { const [, known] = await ours(); if (known) await known.unsubscribe(); } finally { event.target.requestSubmit(); }
  });

  start().catch(() => say("cannot"));
})();
