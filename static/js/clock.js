// Clocks tick each second, counted from the server's clock: a tablet with a wrong time still shows the right one.
//   <time data-due="2025-11-11T07:05:00-05:00">12:18</time>      time left
//   <time data-since="…">9 h 12</time>                           time gone
//   <div class="clock" data-s="calm" data-from="…" data-due="…"> also fills its fuse and turns calm into soon
(() => {
  const HOUR = 3_600, DAY = 24 * HOUR, SOON_SECONDS = 300, SOON_SHARE = 0.25;
  const root = document.documentElement;
  let ahead = Number(root.dataset.now) ? Number(root.dataset.now) * 1000 - Date.now() : 0;

  const words = (seconds) => {
    if (seconds >= DAY) {
      const days = Math.floor(seconds / DAY);
      return `${days} ${days === 1 ? root.dataset.day : root.dataset.days}`;
    }
    const minutes = Math.floor(seconds / 60), rest = minutes % 60;
    if (minutes < 60) return `${minutes} min`;
    return rest ? `${Math.floor(minutes / 60)} h ${String(rest).padStart(2, "0")}` : `${Math.floor(minutes / 60)} h`;
  };
  const countdown = (seconds) =>
    seconds >= HOUR ? words(seconds) : `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };

  const isSoon = (left, whole) => left < SOON_SECONDS || left < whole * SOON_SHARE;
  const burn = (clock, now) => {
    const due = Date.parse(clock.dataset.due), from = Date.parse(clock.dataset.from);
    if (Number.isNaN(due) || Number.isNaN(from) || due <= from) return;
    const left = (due - now) / 1000, whole = (due - from) / 1000;
    const share = Math.min(1, Math.max(0, 1 - left / whole));
    clock.querySelector(".fuse rect")?.setAttribute("width", String(Math.round(share * 1000)));
    if (clock.dataset.s === "calm" && isSoon(left, whole)) {
      clock.dataset.s = "soon";
      const announcer = document.getElementById("announce");
      if (announcer && clock.dataset.say) announcer.textContent = clock.dataset.say;
    }
  };

  const tick = () => {
    const now = Date.now() + ahead;
    for (const time of document.querySelectorAll("time[data-due]"))
      say(time, countdown(Math.max(0, (Date.parse(time.dataset.due) - now) / 1000)));
    for (const time of document.querySelectorAll("time[data-since]"))
      say(time, words(Math.max(0, (now - Date.parse(time.dataset.since)) / 1000)));
    for (const clock of document.querySelectorAll(".clock[data-due]")) burn(clock, now);
  };

  document.addEventListener("htmx:afterRequest", (event) => {
    const said = Date.parse(event.detail.xhr?.getResponseHeader("Date") ?? "");
    // The header has whole seconds: correct only what is clearly wrong, or the clock would jitter.
    if (!Number.isNaN(said) && Math.abs(said - Date.now() - ahead) > 2_000) ahead = said - Date.now();
  });
  document.addEventListener("htmx:afterSettle", tick);
  addEventListener("DOMContentLoaded", tick);
  setInterval(tick, 1_000);
})();
