// The screening page works without this; with it: the result of every criterion while typing.
(() => {
  const form = document.getElementById("screening-form");
  const panel = document.getElementById("panel");
  const summary = document.getElementById("panel-summary");

  // Groups that the reader opened or closed stay so.
  function replace(html) {
    const open = new Map([...panel.querySelectorAll("details")].map((d) => [d.dataset.key, d.open]));
    panel.innerHTML = html;
    panel.querySelectorAll("details").forEach((d) => (d.open = open.get(d.dataset.key) ?? d.open));
    const text = panel.firstElementChild.dataset.summary;
    if (summary.textContent !== text) summary.textContent = text;
    mark();
  }

  // What cannot be read is said beside its field, once the field is left.
  function mark() {
    form.querySelectorAll("[data-mark]").forEach((note) => unmark(note));
    for (const problem of panel.querySelectorAll("[data-unread]")) {
      const field = form.elements.namedItem(problem.dataset.unread);
      const item = field instanceof Element && field.closest(".item");
      if (!item || field === document.activeElement || field.classList.contains("is-invalid")) continue;
      const note = document.createElement("div");
      note.id = `${field.id}_unread`;
      note.dataset.mark = field.id;
      note.className = "col-12 offset-sm-5 col-sm-7 invalid-feedback d-block mt-0";
      note.textContent = `${form.dataset.unread} ${problem.textContent}`;
      item.append(note);
      field.classList.add("is-invalid");
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${note.id}`.trim());
    }
  }

  function unmark(note) {
    const field = document.getElementById(note.dataset.mark);
    const left = field.getAttribute("aria-describedby").replace(note.id, "").trim();
    if (left) field.setAttribute("aria-describedby", left);
    else field.removeAttribute("aria-describedby");
    field.classList.remove("is-invalid");
    field.removeAttribute("aria-invalid");
    note.remove();
  }

  // Limits are in the unit of their value.
  function follow(event) {
    if (!event.target.matches("select")) return;
    const limits = form.querySelectorAll(`[data-unit-of="${CSS.escape(event.target.name)}"]`);
    limits.forEach((unit) => (unit.textContent = event.target.selectedOptions[0].text));
  }

  document.getElementById("check").hidden = true;
  form.addEventListener("focusout", () => setTimeout(mark));
  form.addEventListener("change", follow);
  drafts.judge(panel, document.getElementById("panel-state"), replace);
})();
