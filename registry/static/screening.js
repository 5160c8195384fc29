// The screening page works without this; with it: the result of every criterion while typing.
(() => {
  const form = document.getElementById("screening-form");
  const panel = document.getElementById("panel");
  const summary = document.getElementById("panel-summary");
  const state = document.getElementById("panel-state");
  let timer, request;

  // Groups that the reader opened or closed stay so.
  function replace(html) {
    const open = new Map([...panel.querySelectorAll("details")].map((d) => [d.dataset.key, d.open]));
    panel.innerHTML = html;
    panel.querySelectorAll("details").forEach((d) => (d.open = open.get(d.dataset.key) ?? d.open));
    const text = panel.firstElementChild.dataset.summary;
    if (summary.textContent !== text) summary.textContent = text;
  }

  async function preview() {
    request?.abort();
    const mine = (request = new AbortController());
    const slow = setTimeout(() => (state.textContent = form.dataset.waiting), 400);
    try {
      const answer = await fetch(form.dataset.preview, {
        method: "POST", body: new FormData(form), signal: mine.signal, credentials: "same-origin",
      });
      if (answer.redirected) throw new Error("logged out");
      if (!answer.ok) throw new Error(answer.status);
      replace(await answer.text());
      panel.classList.remove("opacity-50");
      state.textContent = "";
    } catch (error) {
      if (error.name === "AbortError") return;
      panel.classList.add("opacity-50");
      state.textContent = error.message === "logged out" ? form.dataset.loggedOut : form.dataset.offline;
    } finally {
      clearTimeout(slow);
    }
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(preview, 250);
  }

  // Enter goes on to the next field: a half-filled screening is not stored by accident.
  const fields = [...form.querySelectorAll("input[type=text]")];

  function step(event) {
    if (event.key !== "Enter" || !event.target.matches("input, select")) return;
    event.preventDefault();
    fields[fields.indexOf(event.target) + 1]?.focus();
  }

  document.getElementById("check").hidden = true;
  form.addEventListener("input", soon);
  form.addEventListener("keydown", step);
  form.addEventListener("submit", (event) => event.submitter?.setAttribute("disabled", ""));
})();
