// What a live view does to the picture beside it, which is there for paper.

/** Hide the pictures beside a view as long as it is there. */
function mdHideFigures(root, signal) {
  const timer = setTimeout(() => {
    const area = root.closest(".jp-OutputArea");
    if (area === null || signal.aborted) {
      return;
    }
    area.dataset.mdViews = String(Number(area.dataset.mdViews ?? 0) + 1);
    area.classList.add("md-live");
    signal.addEventListener("abort", () => {
      area.dataset.mdViews = String(Number(area.dataset.mdViews) - 1);
      area.classList.toggle("md-live", area.dataset.mdViews !== "0");
    });
  }, 0);
  signal.addEventListener("abort", () => clearTimeout(timer));
}
