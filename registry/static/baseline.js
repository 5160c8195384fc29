// The baseline works without this; with it: the server's notes beside the rows while typing, and
// rows that come and go without a round trip.
(() => {
  const form = document.getElementById("visit-form");
  const blank = document.getElementById("blank-non-target");
  const count = form.querySelector("[name=non_targets-rows]");
  const MOST = 50;

  const field = (row, name) => form.elements.namedItem(`${row}-${name}`);
  const rowOf = (prefix) => document.getElementById(`row-${prefix}`);
  const changed = (control) => control.dispatchEvent(new Event("input", { bubbles: true }));

  // What is said of a row is put beside it by visit.js; here its number is told of it.
  function noticed() {
    for (const note of form.querySelectorAll(".lesion-note")) {
      const row = note.closest(".lesion-row");
      const number = row.querySelector(".field-diameter_mm input, .field-short_axis_mm input");
      const wrong = !!note.querySelector(".note-problem, .invalid-feedback");
      number.setAttribute("aria-describedby", note.id);
      if (wrong) number.setAttribute("aria-invalid", "true");
      else number.removeAttribute("aria-invalid");
      if (!note.querySelector(".invalid-feedback")) {
        row.querySelectorAll(".is-invalid").forEach((old) => old.classList.remove("is-invalid"));
      }
    }
    unfold();
  }

  // Questions that are asked of some lesions only.
  function unfold() {
    for (const row of form.querySelectorAll(".lesion-row")) {
      const irradiated = row.querySelector(".field-previously_irradiated input");
      const bone = row.querySelector(".field-bone_type select")?.value || row.querySelector("[data-bone]");
      row.classList.toggle("is-irradiated", !!irradiated?.checked);
      row.classList.toggle("is-bone", !!bone);
    }
  }

  function addRow() {
    const index = Number(count.value);
    if (index >= MOST) return undefined;
    const label = `NT${String(index + 1).padStart(2, "0")}`;
    const holder = document.createElement("template");
    holder.innerHTML = blank.innerHTML.replaceAll("__index__", index).replaceAll("__label__", label);
    blank.before(holder.content);
    watch.observe(document.getElementById(`note-non_targets-${index}`), { childList: true });
    count.value = index + 1;
    return rowOf(`non_targets-${index}`);
  }

  const isEmpty = (row) =>
    ["organ", "description", "short_axis_mm"].every((name) => !field(row, name).value.trim()) &&
    !field(row, "nodal").checked;

  function emptyNonTarget() {
    for (let index = 0; index < Number(count.value); index += 1) {
      if (isEmpty(`non_targets-${index}`)) return `non_targets-${index}`;
    }
    return addRow()?.id.replace("row-", "");
  }

  function copy(from, to, names) {
    for (const name of names) {
      const [source, target] = [field(from, name), field(to, name)];
      if (source.type === "checkbox") target.checked = source.checked;
      else target.value = source.value;
    }
  }

  // As the server does without a script: the rows below move up.
  function toNonTarget(index) {
    const from = `targets-${index}`;
    const to = emptyNonTarget();
    if (!to) return;
    copy(from, to, ["organ", "description", "nodal", "method"]);
    const mm = field(from, "diameter_mm").value;
    if (rowOf(from).querySelector("[data-node]")) field(to, "short_axis_mm").value = mm;
    else if (mm) field(to, "description").value = `${field(to, "description").value} (${mm} mm)`.trim();
    close(index);
    unfold();
    field(to, "organ").focus();
    changed(field(to, "organ"));
  }

  function close(index) {
    const rows = [...form.querySelectorAll('.lesion-row[id^="row-targets-"]')];
    const names = [...rows[index].querySelectorAll("input:not([type=hidden]), select")].map((one) =>
      one.name.replace(`targets-${index}-`, ""),
    );
    for (let number = index; number < rows.length - 1; number += 1) {
      copy(`targets-${number + 1}`, `targets-${number}`, names);
    }
    for (const one of rows.at(-1).querySelectorAll("input:not([type=hidden]), select")) {
      if (one.type === "checkbox") one.checked = false;
      else if (one.matches("select")) one.selectedIndex = 0;
      else one.value = "";
    }
  }

  function act(event) {
    const button = event.target.closest("button[name=more]");
    if (!button) return;
    event.preventDefault();
    const moved = button.value.match(/^to_non_target-(\d+)$/);
    if (moved) toNonTarget(Number(moved[1]));
    else addRow()?.querySelector("input:not([type=hidden])").focus();
  }

  // Enter in the number goes on to the next lesion, after the last one to a new row.
  function onward(event) {
    if (event.key !== "Enter" || !event.target.matches(".field-diameter_mm input, .field-short_axis_mm input")) return;
    const rows = [...form.querySelectorAll(".lesion-row")];
    const here = rows.indexOf(event.target.closest(".lesion-row"));
    const next = rows[here + 1] ?? (event.target.value ? addRow() : undefined);
    if (!next) return;
    event.preventDefault();
    next.querySelector("input:not([type=hidden])").focus();
  }

  document.querySelectorAll(".lesion-rows").forEach((rows) => rows.classList.add("scripted"));
  const watch = new MutationObserver(noticed);
  form.querySelectorAll(".lesion-note").forEach((note) => watch.observe(note, { childList: true }));
  form.addEventListener("change", unfold);
  form.addEventListener("click", act);
  document.querySelectorAll(".lesion-rows").forEach((rows) => rows.addEventListener("keydown", onward));
  noticed();
})();
