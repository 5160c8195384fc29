// On every page: the key / leads to the patient search, unless its user has turned that off
// (WCAG 2.1.4: a shortcut of one character can be turned off), and menus close as menus do.
(() => {
  const COOKIE = "slash_key";
  const search = document.getElementById("patient-search");
  const choice = document.getElementById("slash-key");

  const on = () => !document.cookie.split("; ").includes(`${COOKIE}=off`);
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");

  function show() {
    document.querySelector("[data-slash-hint]").hidden = !on();
    if (on()) search.setAttribute("aria-keyshortcuts", "/");
    else search.removeAttribute("aria-keyshortcuts");
  }

  function choose() {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    const age = choice.checked ? 0 : 365 * 24 * 3600;
    document.cookie = `${COOKIE}=off; Path=/; SameSite=Lax; Max-Age=${age}${secure}`;
    show();
  }

  function lead(event) {
    if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.defaultPrevented || typing(event.target) || !on()) return;
    event.preventDefault();
    search.focus();
    search.select();
  }

  if (search) {
    document.querySelector("[data-slash-choice]").hidden = false;
    choice.checked = on();
    choice.addEventListener("change", choose);
    document.addEventListener("keydown", lead);
    show();
  }

  for (const menu of document.querySelectorAll("[data-menu]")) {
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    menu.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }
})();
