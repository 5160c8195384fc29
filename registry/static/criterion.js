// The criterion page works without this; with it: the fields of the chosen rule, and units of its item.
(() => {
  const form = document.getElementById("criterion-form");
  const chosen = form.elements.rule_type;
  const item = form.elements.number_item;
  const unit = form.elements.number_unit;
  const units = JSON.parse(form.dataset.units);
  const all = [...unit.options];

  const parts = [...form.querySelectorAll("[data-rule]")];

  function showRule() {
    for (const part of parts) part.hidden = part.dataset.rule !== chosen.value;
  }

  function offerUnits() {
    const fitting = all.filter((option) => (units[item.value] ?? [option.value]).includes(option.value));
    const before = unit.value;
    unit.replaceChildren(...fitting);
    unit.value = fitting.some((option) => option.value === before) ? before : fitting[0].value;
  }

  chosen.addEventListener("change", showRule);
  item.addEventListener("change", offerUnits);
  for (const part of parts) part.querySelector("legend").classList.add("visually-hidden"); // chosen above
  showRule();
  if (!unit.classList.contains("is-invalid")) offerUnits(); // what was refused stays to be seen
})();
