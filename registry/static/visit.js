// The visit page works without this; with it: the response while typing, and a keyboard path.
(() => {
  const form = document.getElementById("visit-form");
  const panel = document.getElementById("panel");
  const sum = document.getElementById("sum-today");

  function show(html) {
    panel.innerHTML = html;
    if (sum) sum.textContent = panel.querySelector("[data-sum]")?.dataset.sum ?? "";
  }

  // What is filled in here was typed as well: it is kept and judged.
  const filled = () => form.dispatchEvent(new Event("input", { bubbles: true }));

  // Between the diameters: Enter and arrows; A, N, T name a state where no number can be given.
  const diameters = [...form.querySelectorAll(".today input")];
  const states = { a: "absent", n: "not_evaluable", t: "too_small" };

  function step(event) {
    const here = diameters.indexOf(event.target);
    const beside = diameters[here + ({ Enter: 1, ArrowDown: 1, ArrowUp: -1 }[event.key] ?? NaN)];
    const named = states[event.key.toLowerCase()];
    if (beside) {
      event.preventDefault();
      beside.focus();
    } else if (named && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      const row = event.target.closest("tr");
      event.target.value = "";
      row.querySelector(".state select").value = named;
      if (named === "not_evaluable") row.querySelector("details").open = true;
      filled();
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
    filled();
  }

  const present = form.querySelector("[data-all-present]");
  if (present) {
    present.hidden = false;
    present.addEventListener("click", fillPresent);
  }
  form.addEventListener("input", name);
  form.addEventListener("change", toggleNewLesions);
  diameters.forEach((field) => field.addEventListener("keydown", step)); // before the form's own
  drafts.judge(panel, document.getElementById("panel-state"), show);
  toggleNewLesions();
  if (!document.querySelector(".error-summary")) diameters[0]?.focus();
})();
