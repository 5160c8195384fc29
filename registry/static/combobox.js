// A text field with data-terms becomes a combobox (WAI-ARIA's editable one with a list): what is
// typed is looked up by the server; arrows choose, Enter takes, Escape closes. Without this it is
// a text field, and the server says on Store what it does not know.
document.querySelectorAll("input[data-terms]").forEach((field) => {
  const list = document.createElement("ul");
  const state = document.createElement("p");
  const options = () => [...list.children];
  let timer, asked = 0, active = -1;

  list.id = `${field.id}_list`;
  list.className = "combobox-list list-group shadow";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", document.querySelector(`label[for="${field.id}"]`).textContent.trim());
  state.className = "form-text mb-0";
  state.setAttribute("role", "status");
  field.after(list, state);
  field.parentElement.classList.add("combobox");
  const said = { role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id };
  Object.entries(said).forEach(([name, value]) => field.setAttribute(name, value));

  function close() {
    active = -1;
    list.hidden = true;
    list.replaceChildren();
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function mark(next) {
    const all = options();
    active = (next + all.length) % all.length;
    all.forEach((option, place) => {
      option.setAttribute("aria-selected", String(place === active));
      option.classList.toggle("active", place === active);
    });
    field.setAttribute("aria-activedescendant", all[active].id);
    all[active].scrollIntoView({ block: "nearest" });
  }

  function take(option) {
    field.value = option.dataset.value;
    forget();
    field.focus();
    field.dispatchEvent(new Event("change", { bubbles: true }));
    document.dispatchEvent(new Event("input"));
  }

  function offer({ value, detail }, place) {
    const option = document.createElement("li");
    const more = document.createElement("small");
    option.id = `${list.id}_${place}`;
    option.className = "list-group-item";
    option.dataset.value = value;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    more.className = "d-block";
    more.textContent = detail;
    option.append(value, more);
    option.addEventListener("mousedown", (event) => event.preventDefault());
    option.addEventListener("click", () => take(option));
    return option;
  }

  async function look() {
    const mine = ++asked;
    const address = `${field.dataset.terms}&q=${encodeURIComponent(field.value)}`;
    try {
      const answer = await fetch(address, { credentials: "same-origin" });
      const { terms } = await answer.json();
      if (mine !== asked) return;
      close();
      list.append(...terms.map(offer));
      list.hidden = !terms.length;
      field.setAttribute("aria-expanded", String(!!terms.length));
      state.textContent = terms.length ? "" : field.dataset.none;
    } catch {
      close(); // no connection, or no login: it stays a text field
    }
  }

  function forget() {
    clearTimeout(timer);
    asked += 1;
    close();
  }

  function typed() {
    clearTimeout(timer);
    state.textContent = "";
    if (field.value.trim()) timer = setTimeout(look, 150);
    else forget();
  }

  function key(event) {
    const open = !list.hidden;
    if (event.key === "ArrowDown" && !open) look();
    else if (open && ["ArrowDown", "ArrowUp"].includes(event.key)) mark(active + (event.key === "ArrowDown" ? 1 : active < 0 ? 0 : -1));
    else if (open && event.key === "Enter" && active >= 0) take(options()[active]);
    else if (open && event.key === "Escape") forget();
    else return;
    event.preventDefault();
  }

  close();
  field.addEventListener("input", typed);
  field.addEventListener("keydown", key);
  field.addEventListener("blur", forget);
});
