// “No needs” by one tap: a button that puts its own words into the field it belongs to.
//   <button type="button" data-offer-for="id_needs" hidden>No needs</button>
// or the words of its data-offer, where the button says something else.
(() => {
  const show = () => document.querySelectorAll("[data-offer-for][hidden]").forEach((button) => { button.hidden = false; });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-offer-for]");
    const field = button && document.getElementById(button.dataset.offerFor);
    if (!field) return;
    field.value = button.dataset.offer ?? button.textContent.trim();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
  document.addEventListener("htmx:afterSettle", show);
  addEventListener("DOMContentLoaded", show);
})();
