// The pages of a visit sheet work without this; with it: a bar while a long file is looked at.
(() => {
  const bar = document.querySelector("[data-progress]");
  const form = document.querySelector("form[data-watched]");
  const upload = document.querySelector("form[data-busy]");

  async function look() {
    const answer = await fetch(bar.dataset.progress, { headers: { Accept: "application/json" } });
    if (!answer.ok) return true;
    const now = await answer.json();
    const meter = bar.querySelector("progress");
    const text = bar.querySelector("[data-progress-text]");
    meter.max = now.total;
    meter.value = now.done;
    if (text.textContent !== now.text) text.textContent = now.text;
    return now.running;
  }

  // While a form is on its way the page stays and may ask how far it is.
  async function watch() {
    bar.hidden = false;
    const running = await look().catch(() => true);
    if (!running && bar.hasAttribute("data-reload")) location.reload();
    else setTimeout(watch, 1500);
  }

  if (upload)
    upload.addEventListener("submit", () => {
      upload.querySelector("[data-busy-text]").textContent = upload.dataset.busy;
    });
  if (form)
    form.addEventListener("submit", () => {
      form.querySelector("button").disabled = true;
      setTimeout(watch, 700);
    });
  if (form && form.hasAttribute("data-auto")) form.requestSubmit();
  if (bar && bar.hasAttribute("data-reload")) setTimeout(watch, 700);
})();
