// Figures work without this; with it: arrow keys between points, a readout, export.
document.querySelectorAll("[data-chart]").forEach((figure) => {
  const svg = figure.querySelector("svg");
  if (!svg) return;
  const readout = figure.querySelector("[data-readout]");
  const points = [...svg.querySelectorAll("[tabindex]")];
  let current = -1;

  function show(event) {
    const point = event.target.closest("[tabindex]");
    if (!svg.contains(point)) return;
    current = points.indexOf(point);
    readout.textContent = point.querySelector("title").textContent;
  }

  function move(event) {
    const last = points.length - 1;
    const next = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    points[Math.max(0, Math.min(next, last))].focus();
  }

  // Titles, links and labels name patients: they stay here.
  function exported() {
    const copy = svg.cloneNode(true);
    const { width, height } = svg.viewBox.baseVal;
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    copy.querySelectorAll("[tabindex] > title").forEach((title) => title.remove());
    copy.querySelectorAll("[data-private]").forEach((label) => label.remove());
    copy.querySelectorAll("a").forEach((link) => link.removeAttribute("href"));
    const text = new XMLSerializer().serializeToString(copy);
    return { width, height, blob: new Blob([text], { type: "image/svg+xml" }) };
  }

  function save(blob, suffix) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${figure.dataset.chart}.${suffix}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  async function savePng({ width, height, blob }) {
    const image = new Image();
    image.src = URL.createObjectURL(blob);
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 3 * width;
    canvas.height = 3 * height;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    canvas.toBlob((png) => save(png, "png"));
  }

  svg.addEventListener("focusin", show);
  svg.addEventListener("pointerover", show);
  figure.querySelector("[data-points]").addEventListener("keydown", move);
  figure.querySelectorAll("[data-export]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      if (button.dataset.export === "png") savePng(exported());
      else save(exported().blob, "svg");
    });
  });
});
