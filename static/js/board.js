// Arrow keys move between the cards of a board: up and down in a column, left and right to the next one that has cards.
(() => {
  const STEP = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

  document.addEventListener("keydown", (event) => {
    const step = STEP[event.key];
    const at = event.target.closest?.(".board .card h3 a");
    if (!step || !at || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const columns = [...document.querySelectorAll(".board > section")]
      .map((column) => [...column.querySelectorAll(".card h3 a")])
      .filter((links) => links.length);
    const from = columns.findIndex((links) => links.includes(at));
    const row = columns[from].indexOf(at);
    const column = columns[from + step[0]];
    const to = column?.[Math.min(row + step[1], column.length - 1)];
    event.preventDefault();
    to?.focus();
  });
})();
