// The visit page works without this; with it: the response while typing, and a keyboard path.
(() => {
  const form = document.getElementById("visit-form");
  const panel = document.getElementById("panel");
  const state = document.getElementById("panel-state");
  const sum = document.getElementById("sum-today");
  let timer, request;

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
      panel.innerHTML = await answer.text();
      panel.classList.remove("opacity-50");
      state.textContent = "";
      if (sum) sum.textContent = panel.querySelector("[data-sum]")?.dataset.sum ?? "";
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

  // Between the diameters: Enter and arrows; A, N, T name a state where no number can be given.
  const diameters = [...form.querySelectorAll(".today input")];
  const states = { a: "absent", n: "not_evaluable", t: "too_small" };

  function step(event) {
    if (event.key === "Enter" && event.target.matches("input:not([type=radio], [type=checkbox])")) {
      event.preventDefault(); // a half-filled visit is not submitted by accident
    }
    const here = diameters.indexOf(event.target);
    if (here < 0) return;
    const way = { Enter: 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    const named = states[event.key.toLowerCase()];
    if (way) {
      event.preventDefault();
      diameters[here + way]?.focus();
    } else if (named && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      const row = event.target.closest("tr");
      event.target.value = "";
      row.querySelector(".state select").value = named;
      if (named === "not_evaluable") row.querySelector("details").open = true;
      soon();
    }
  }

  // A number was measured; taking it back takes the state back.
  function name(event) {
    if (!diameters.includes(event.target)) return;
    const select = event.target.closest("tr").querySelector(".state select");
    if (event.target.value) select.value = "measured";
    if (!event.target.value && select.value === "measured") select.value = "";
  }

  function toggleNewLesions() {
    const answer = form.querySelector("input[name=new_lesions]:checked");
    const rows = document.getElementById("new-lesions");
    if (rows) rows.hidden = answer?.value !== "yes";
  }

  function fillPresent() {
    form.querySelectorAll(".non-target").forEach((row) => {
      if (!row.querySelector("input[type=radio]:checked")) {
        row.querySelector("input[value=present]").checked = true;
      }
    });
    soon();
  }

  const present = form.querySelector("[data-all-present]");
  if (present) {
    present.hidden = false;
    present.addEventListener("click", fillPresent);
  }
  form.addEventListener("input", name);
  form.addEventListener("input", soon);
  form.addEventListener("change", toggleNewLesions);
  form.addEventListener("keydown", step);
  form.addEventListener("submit", (event) => {
    if (event.submitter?.name !== "more") event.submitter?.setAttribute("disabled", "");
  });
  toggleNewLesions();
  if (!document.querySelector(".error-summary")) diameters[0]?.focus();
})();
