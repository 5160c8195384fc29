// The screening page works without this; with it: the result of every criterion while typing.
(() => {
  const panel = document.getElementById("panel");
  const summary = document.getElementById("panel-summary");

  // Groups that the reader opened or closed stay so.
  function replace(html) {
    const open = new Map([...panel.querySelectorAll("details")].map((d) => [d.dataset.key, d.open]));
    panel.innerHTML = html;
    panel.querySelectorAll("details").forEach((d) => (d.open = open.get(d.dataset.key) ?? d.open));
    const text = panel.firstElementChild.dataset.summary;
    if (summary.textContent !== text) summary.textContent = text;
  }

  document.getElementById("check").hidden = true;
  drafts.judge(panel, document.getElementById("panel-state"), replace);
})();
