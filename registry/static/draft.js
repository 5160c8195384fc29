// On every page. What is typed into a form marked data-draft outlives a lost session and a reload:
// kept in this tab until it is stored or its user logs out. Keys hold ids only.
window.drafts = (() => {
  const user = document.body.dataset.user;
  const form = document.querySelector("form[data-draft]");
  const key = `draft:${user}:${location.pathname}`;
  const SENT = "draft-sent";
  const TOKEN = "csrfmiddlewaretoken";
  const logouts = new BroadcastChannel("logout");
  let cookie = csrfCookie();

  const drafts = () => Object.keys(sessionStorage).filter((name) => name.startsWith("draft"));
  const forget = (names) => names.forEach((name) => sessionStorage.removeItem(name));

  function csrfCookie() {
    return document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]*)/)?.[1];
  }

  const typed = () => [...new FormData(form)].filter(([name]) => name !== TOKEN);
  const keep = () => sessionStorage.setItem(key, JSON.stringify(typed()));

  // The version that was read comes back too: a draft does not overwrite what was stored since.
  function restore() {
    const kept = sessionStorage.getItem(key);
    if (!kept || kept === JSON.stringify(typed())) return;
    const values = grouped(JSON.parse(kept));
    for (const field of form.elements) {
      const said = values.get(field.name);
      if (field.matches("[type=radio], [type=checkbox]")) field.checked = !!said?.includes(field.value);
      else if (said && field.name !== TOKEN) field.value = said[0];
    }
    document.getElementById("draft-note").hidden = false;
    form.dispatchEvent(new Event("change", { bubbles: true }));
    form.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function grouped(pairs) {
    const found = new Map();
    for (const [name, value] of pairs) found.set(name, [...(found.get(name) ?? []), value]);
    return found;
  }

  // A login elsewhere gives a new token. Only the user who typed may send what was typed.
  async function standing() {
    if (cookie && cookie === csrfCookie()) return "ready";
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.redirected || !answer.ok) return "loggedOut";
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (page.body.dataset.user !== user) return "otherUser";
    for (const field of document.getElementsByName(TOKEN)) {
      field.value = page.querySelector(`[name=${TOKEN}]`).value;
    }
    cookie = csrfCookie();
    return "ready";
  }

  function say(state, outcome) {
    state.textContent = form.dataset[outcome] ?? form.dataset.offline;
  }

  // The server's judgment of what is typed, 250 ms after the last key; `show` puts it on the page.
  function judge(panel, state, show) {
    let timer, request;

    async function preview() {
      request?.abort();
      const mine = (request = new AbortController());
      const slow = setTimeout(() => (state.textContent = form.dataset.waiting), 400);
      try {
        const login = await standing();
        if (login !== "ready") throw new Error(login);
        const answer = await fetch(form.dataset.preview, {
          method: "POST", body: new FormData(form), signal: mine.signal, credentials: "same-origin",
        });
        if (answer.redirected) throw new Error("loggedOut");
        if (!answer.ok) throw new Error(answer.status);
        show(await answer.text());
        panel.classList.remove("opacity-50");
        state.textContent = "";
      } catch (error) {
        if (error.name === "AbortError") return;
        panel.classList.add("opacity-50");
        say(state, error.message);
      } finally {
        clearTimeout(slow);
      }
    }

    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(preview, 250);
    });
  }

  // The controls that can be reached, of each group of radio buttons the first.
  function reachable() {
    const groups = new Set();
    return [...form.querySelectorAll("input:not([type=hidden]), select, textarea, button[type=submit]")].filter((field) => {
      if (field.disabled || !field.checkVisibility()) return false;
      if (field.type !== "radio") return true;
      const met = groups.has(field.name);
      groups.add(field.name);
      return !met;
    });
  }

  // The control after this one; of a group of radio buttons the one that is chosen.
  function next(field) {
    const fields = reachable();
    const here = fields.findIndex((one) => one === field || (field.type === "radio" && one.name === field.name));
    const found = here < 0 ? undefined : fields[here + 1];
    if (found?.type !== "radio") return found;
    return form.querySelector(`[name="${CSS.escape(found.name)}"]:checked`) ?? found;
  }

  // Enter goes on to the next control: a half-filled form is not stored by accident.
  function onward(event) {
    if (event.key !== "Enter" || event.defaultPrevented || !event.target.matches("input, select")) return;
    event.preventDefault();
    next(event.target)?.focus();
  }

  async function send(event) {
    keep();
    sessionStorage.setItem(SENT, key);
    if (cookie && cookie === csrfCookie()) return;
    event.preventDefault();
    const login = await standing().catch(() => "offline");
    if (login === "ready") form.requestSubmit(event.submitter);
    else say(document.getElementById("panel-state"), login);
  }

  function disableOnce(event) {
    const again = ["more", "check"].includes(event.submitter?.name);
    if (!event.defaultPrevented && !again) event.submitter?.setAttribute("disabled", "");
  }

  // What was sent is stored where the page that answers says so.
  if (document.querySelector("[data-message=success]")) forget([sessionStorage.getItem(SENT)]);
  forget([SENT]);
  if (user) forget(drafts().filter((name) => !name.startsWith(`draft:${user}:`)));
  logouts.addEventListener("message", () => forget(drafts()));
  document.querySelector("form[data-logout]")?.addEventListener("submit", () => {
    forget(drafts());
    logouts.postMessage(user);
  });
  if (form) {
    document.addEventListener("input", keep); // after the form's own listeners, which fill in more
    form.addEventListener("keydown", onward);
    form.addEventListener("submit", send);
    form.addEventListener("submit", disableOnce);
    document.querySelector("[data-discard]").addEventListener("click", () => {
      forget([key]);
      location.replace(location.href);
    });
    // After the page's own script, which listens to what is restored.
    if (!("bound" in form.dataset)) addEventListener("DOMContentLoaded", restore);
  }

  return { judge };
})();
