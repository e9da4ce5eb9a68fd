// The raise screen. Everything works without this file: it says the sentence as you tap, keeps Send from being
// tapped twice, and keeps Enter in the place search from sending.
(() => {
  const form = document.getElementById("raise");
  if (!form) return;
  const line = document.getElementById("line");
  const empty = line.textContent;

  const say = () => {
    const said = ["where", "category", "impact"]
      .map((name) => form.querySelector(`input[name="${name}"]:checked`)?.dataset.say)
      .filter(Boolean);
    line.textContent = said.length ? said.map((words) => `${words}.`).join(" ") : empty;
  };
  form.addEventListener("change", say);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "where" && event.target.id !== "places") return;
    say();
    const at = document.getElementById("place-words") ?? form.querySelector("#where input:checked, #where input");
    at?.focus();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches('input[type="search"]')) event.preventDefault();
  });

  const send = document.getElementById("send");
  // On bad Wi-Fi an answer may never come: then Send works again. Sent twice it is one, by its id.
  form.addEventListener("submit", () => {
    send.setAttribute("aria-disabled", "true");
    setTimeout(() => send.removeAttribute("aria-disabled"), 10_000);
  });
  send.addEventListener("click", (event) => { if (send.getAttribute("aria-disabled")) event.preventDefault(); });
  // Back shows the page as it was left, with an id that was used: take a fresh one.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  say();
})();
