// The visit page works without this; with it: the response while typing, and a keyboard path.
(() => {
  const form = document.getElementById("visit-form");
  const MILLIMETERS = /^[+-]?(\d+[.,。]?\d*|[.,。]\d+)$/;
  const panel = document.getElementById("panel");
  const status = document.getElementById("entry-status");
  const submit = form.querySelector("[data-submit]");

  // The server's judgment comes in parts, each for its place; what was typed into a part stays.
  function show(html) {
    const answer = document.createElement("template");
    answer.innerHTML = html;
    for (const part of answer.content.querySelectorAll("template[data-slot]")) {
      place(document.getElementById(part.dataset.slot), part);
      part.remove();
    }
    const wrong = answer.content.querySelector("template[data-wrong]");
    if (wrong) refuse(wrong.content);
    wrong?.remove();
    agree();
    if (answer.content.childElementCount) panel.innerHTML = answer.innerHTML;
    form.querySelectorAll("tr.lesion").forEach(color);
  }

  function place(slot, part) {
    const said = part.dataset.key ?? part.innerHTML.trim();
    if (!slot || said === (slot.dataset.key ?? slot.innerHTML.trim())) return;
    const typed = new Map([...slot.querySelectorAll("input")].map((field) => [field.name, field]));
    const focused = slot.contains(document.activeElement) && document.activeElement.name;
    slot.replaceChildren(part.content);
    if ("key" in part.dataset) slot.dataset.key = said;
    for (const field of slot.querySelectorAll("input")) {
      const before = typed.get(field.name);
      if (before) field.replaceWith(before);
      if (focused && field.name === focused) before.focus();
    }
  }

  // What is wrong now stands beside its field; what is right by now is no longer red.
  function refuse(wrong) {
    const shown = ".invalid-feedback[id$=_error]";
    for (const old of form.querySelectorAll(shown)) if (!old.closest(".lesion-note")) mark(old.id, null);
    form.querySelectorAll("tr.second-line .invalid-feedback:not([id])").forEach((old) => old.remove());
    for (const now of [...wrong.querySelectorAll(shown)]) mark(now.id, now);
  }

  function mark(id, message) {
    const name = id.replace(/_error$/, "");
    const controls = [...form.elements].filter(({ id: own }) => own.replace(/_\d+$/, "") === name || own === name);
    const place = document.getElementById(id);
    if (!controls.length) return;
    for (const control of controls) {
      control.classList.toggle("is-invalid", !!message);
      for (const [attribute, value] of [["aria-invalid", "true"], ["aria-describedby", id]]) {
        if (message) control.setAttribute(attribute, value);
        else control.removeAttribute(attribute);
      }
    }
    if (!message) place?.remove();
    else if (place) place.replaceWith(message);
    else beside(controls.at(-1)).append(message);
  }

  function beside(control) {
    if (control.closest("td.today, td.state")) return lines(rowOf(control))[1].cells[0];
    return control.closest(".non-target fieldset")?.parentElement ?? control.parentElement;
  }

  // An assessment that is the computed response agrees with it: it is not offered as another one.
  function agree() {
    const stated = document.getElementById("stated");
    if (!stated) return;
    const computed = document.getElementById("computed").dataset.key;
    const select = stated.querySelector("select");
    const [agrees, differs] = [stated.dataset.agrees, stated.dataset.differs].map((words) => words.split("{response}"));
    for (const option of select.options) {
      if (!option.value) continue;
      const same = option.value === computed;
      const [before, after] = option.text.startsWith(agrees[0]) ? agrees : differs;
      option.dataset.code ??= option.text.slice(before.length, option.text.length - after.length);
      option.text = (same ? agrees : differs).join(option.dataset.code);
      option.hidden = option.disabled = same && !option.selected;
    }
    fold(document.getElementById("differs"), !!select.value && select.value !== computed);
  }

  function color(row) {
    const second = row.nextElementSibling;
    const refused = lines(row).some((line) => line.querySelector(".invalid-feedback"));
    for (const line of lines(row)) line.classList.toggle("table-danger", refused);
    const asked = second.querySelector(".soft-check");
    for (const line of [row, second]) line.classList.toggle("table-warning", !!asked && !line.classList.contains("table-danger"));
  }

  // What is filled in here was typed as well: it is kept and judged.
  const filled = () => form.dispatchEvent(new Event("input", { bubbles: true }));

  // Between the diameters: Enter and arrows; A, N, T name a state where no number can be given.
  const diameters = [...form.querySelectorAll(".today input")];
  const states = { a: "absent", n: "not_evaluable", t: "too_small" };
  const unchanged = form.querySelector("[data-all-unchanged]");
  const question = document.getElementById("new-lesion-question");
  const lines = (row) => [row, row.nextElementSibling];
  const rowOf = (element) => {
    const row = element.closest("tr.lesion, tr.second-line");
    return row?.matches(".second-line") ? row.previousElementSibling : row;
  };
  const within = (row, selector) => lines(row).map((line) => line.querySelector(selector)).find(Boolean);

  function afterTargets() {
    return unchanged ?? question?.querySelector("input");
  }

  function nextLesion(row) {
    const here = diameters.indexOf(row.querySelector(".today input"));
    return diameters[here + 1] ?? afterTargets();
  }

  // What a state asks for comes before the next lesion.
  function onward(row) {
    const asked = [...lines(row)[1].querySelectorAll(".extra:not([hidden]) input")];
    return asked.find((field) => !field.value) ?? nextLesion(row);
  }

  function step(event) {
    const row = rowOf(event.target);
    const beside = {
      Enter: () => onward(row),
      ArrowDown: () => nextLesion(row),
      ArrowUp: () => diameters[diameters.indexOf(event.target) - 1],
    }[event.key]?.();
    const named = states[event.key.toLowerCase()];
    if (beside) {
      event.preventDefault();
      beside.focus();
      beside.select?.();
    } else if (named && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      event.target.value = "";
      const select = row.querySelector(".state select");
      select.value = named;
      unfold(row);
      announce(row, select);
      filled();
    }
  }

  function announce(row, select) {
    status.textContent = `${row.dataset.lesion}: ${select.selectedOptions[0].text}`;
  }

  // A number was measured; taking it back takes the state back.
  function name(event) {
    if (!diameters.includes(event.target)) return;
    const row = rowOf(event.target);
    const select = row.querySelector(".state select");
    if (MILLIMETERS.test(event.target.value.normalize("NFKC").trim())) select.value = "measured";
    else if (select.value === "measured") select.value = "";
    unfold(row);
  }

  // A state shows what it asks for; what it does not ask for is cleared, so that nothing hidden counts.
  function unfold(row) {
    const state = row.querySelector(".state select").value;
    fold(within(row, "[data-reason]"), state === "not_evaluable");
    fold(within(row, "[data-parts]"), state === "split");
    if (state && state !== "measured") row.querySelector(".today input").value = "";
  }

  function fold(part, asked) {
    if (!part) return;
    if (!asked && !part.hidden) part.querySelectorAll("input").forEach((field) => (field.value = ""));
    part.hidden = !asked;
  }

  function changed(event) {
    const { target } = event;
    if (target.closest(".state")) unfold(rowOf(target));
    const nonTarget = target.closest(".non-target");
    if (nonTarget && target.type === "radio") fold(nonTarget.querySelector("[data-reason]"), target.value === "not_evaluable");
    if (target.name === "date") target.value = target.value.trim().replace(/^(\d{4})[/.]?(\d{2})[/.]?(\d{2})$/, "$1-$2-$3");
    if (target.closest("#method-for-all")) methodForAll(target);
    if (target.closest("[data-baseline]") || target.closest("details.method")) methods();
    toggleNewLesions();
    agree();
  }

  // The method chosen for all is written into each row, where it can be changed again.
  const methodSelects = [...form.querySelectorAll("[data-baseline] select")];

  function methodForAll(chosen) {
    for (const select of methodSelects) select.value = chosen.value || select.parentElement.dataset.baseline;
    methods();
  }

  function methods() {
    const all = document.getElementById("method-for-all");
    if (!all) return;
    const chosen = all.querySelector("select");
    const same = methodSelects.every((select) => select.value === select.parentElement.dataset.baseline);
    const one = chosen.value && methodSelects.every((select) => select.value === chosen.value);
    if (!one) chosen.value = "";
    chosen.options[0].text = same || one ? all.dataset.same : all.dataset.mixed;
    for (const select of methodSelects) {
      const details = select.closest("details");
      const slice = details.querySelector("input").value.trim();
      const method = select.value ? select.selectedOptions[0].text : "";
      details.querySelector("[data-method-text]").textContent = [method, slice && `${slice} mm`].filter(Boolean).join(" ") || "–";
    }
  }

  function toggleNewLesions() {
    const answer = form.querySelector("input[name=new_lesions]:checked");
    const rows = document.getElementById("new-lesions");
    if (rows) rows.hidden = answer?.value !== "yes";
  }

  function fillUnchanged(event) {
    event.preventDefault();
    const said = [];
    for (const row of form.querySelectorAll(".non-target")) {
      if (row.querySelector("input[type=radio]:checked")) continue;
      const choice = row.querySelector(`input[value="${row.dataset.before}"]`);
      choice.checked = true;
      fold(row.querySelector("[data-reason]"), choice.value === "not_evaluable");
      said.push(`${row.dataset.lesion} ${choice.nextElementSibling.textContent.trim()}`);
    }
    const { filled: one, none } = unchanged.dataset;
    document.getElementById("unchanged-status").textContent = said.length ? `${one} ${said.join(", ")}` : none;
    filled();
    const open = [...form.querySelectorAll(".non-target .extra:not([hidden]) input")].find((field) => !field.value);
    if (event.detail === 0) (open ?? question?.querySelector("input"))?.focus(); // pressed by a key
  }

  // Y and N answer the question while it has the focus.
  function answer(event) {
    const value = { y: "yes", n: "no" }[event.key.toLowerCase()];
    if (!value || event.ctrlKey || event.metaKey || event.altKey || event.target.type !== "radio") return;
    event.preventDefault();
    const choice = question.querySelector(`input[value=${value}]`);
    choice.focus();
    choice.click();
  }

  function send(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    form.requestSubmit(submit);
  }

  // Enter in the lines below a lesion goes on to what is asked next; from the date to the lesions.
  function below(event) {
    if (event.key !== "Enter" || event.defaultPrevented || event.target.type === "checkbox") return;
    const second = event.target.closest("tr.second-line");
    const next = second ? onward(rowOf(second)) : event.target.name === "date" ? diameters[0] : undefined;
    if (!next || next === event.target) return;
    event.preventDefault();
    next.focus();
    next.select?.();
  }

  form.addEventListener("keydown", send, true);
  unchanged?.addEventListener("click", fillUnchanged);
  question?.addEventListener("keydown", answer);
  form.addEventListener("input", name);
  form.addEventListener("change", changed);
  diameters.forEach((field) => field.addEventListener("keydown", step)); // before the form's own
  form.addEventListener("keydown", below, true); // before the form's own
  drafts.judge(panel, document.getElementById("panel-state"), show);
  toggleNewLesions();
  methods();
  agree();
  if (!document.querySelector(".error-summary")) {
    const date = form.querySelector("[name=date]");
    (date.value ? diameters[0] ?? date : date).focus();
  }
})();
