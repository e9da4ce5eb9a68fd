// Light or dark at once. The server reads the same cookie, so the next page is drawn right from its first byte.
(() => {
  const YEAR = 365 * 24 * 3_600;
  document.addEventListener("change", (event) => {
    const choice = event.target;
    if (!(choice instanceof HTMLInputElement) || choice.name !== "theme") return;
    document.cookie = `theme=${choice.value}; path=/; max-age=${YEAR}; samesite=lax`;
    if (choice.value) document.documentElement.dataset.theme = choice.value;
    else delete document.documentElement.dataset.theme;
  });
})();
