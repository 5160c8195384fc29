// On every page. What is typed into a form marked data-draft outlives a lost connection, a lost
// session, a reload and a change of the machine. It is kept in this tab while typing, and on the
// server a little later (registry/drafts.py), until it is stored. Keys hold ids only.
window.drafts = (() => {
  const user = document.body.dataset.user;
  const form = document.querySelector("form[data-draft]");
  const note = document.getElementById("draft-note");
  const key = `draft:${user}:${location.pathname}`;
  const PAUSE = 10_000; // milliseconds after the last change
  const KEEPALIVE = 60_000; // characters that a browser sends while it leaves a page
  const SENT = "draft-sent";
  const TOKEN = "csrfmiddlewaretoken";
  const UNSENT = /^(csrfmiddlewaretoken|entry_key|stored_version|take:.*|stored:.*|.*password.*)$/i;
  const logouts = new BroadcastChannel("logout");
  let cookie = csrfCookie();
  let saved = note?.dataset.savedAt ?? ""; // when the server's copy that this page knows was saved
  let dirty = false; // whether something is typed that the server does not have
  let leaving = false; // with this page's form or without it: nothing more is to be saved
  let timer;
  let saving = Promise.resolve();
  let judgment; // why the page's judgment is not current, where it says so

  const drafts = () => Object.keys(sessionStorage).filter((name) => name.startsWith("draft"));
  const forget = (names) => names.forEach((name) => sessionStorage.removeItem(name));
  const words = (name) => form.dataset[name] ?? note?.dataset[name] ?? "";

  function csrfCookie() {
    return document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]*)/)?.[1];
  }

  const typed = () =>
    [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !UNSENT.test(name));
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

  function keep() {
    sessionStorage.setItem(key, JSON.stringify({ at: Date.now(), saved, dirty, fields: typed() }));
  }

  function changed(event) {
    if (event.target !== document && event.target !== form && event.target.form !== form) return;
    dirty = true;
    keep();
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  }

  // One line beside the buttons; where a login is missing, with the way there. What the judgment
  // says already is said again only to who asks.
  function tell(outcome, { at, asked } = {}) {
    const state = form.querySelector("[data-draft-state]");
    const known = !asked && outcome === judgment;
    if (state) state.textContent = known ? "" : words(outcome).replace("{time}", at ? clock(at) : "");
    const login = form.querySelector("[data-draft-login]");
    if (login) login.hidden = outcome !== "loggedOut";
  }

  // As this machine's clock shows it; with the day where that is another one.
  function clock(at) {
    const pad = (number) => String(number).padStart(2, "0");
    const day = (moment) => `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}`;
    const time = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
    return day(at) === day(new Date()) ? time : `${day(at)} ${time}`;
  }

  function put(fields) {
    const title = form.dataset.draftTitle;
    const body = JSON.stringify({ key: form.elements.entry_key.value, fields, ...(title && { title }) });
    return fetch(note.dataset.url, {
      method: "PUT", body, credentials: "same-origin", keepalive: body.length < KEEPALIVE,
      headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements[TOKEN].value },
    });
  }

  const canSave = () => dirty && !leaving && note?.dataset.url && form.elements.entry_key;

  function save(asked = false) {
    clearTimeout(timer);
    saving = saving.then(() => sendCopy(asked));
    return saving;
  }

  // Asked for by hand, it says what became of it, also where a logout in another tab ended it.
  function saveNow() {
    dirty = true;
    keep();
    if (leaving) return tell("loggedOut", { asked: true });
    tell("saving", { asked: true });
    return save(true);
  }

  async function sendCopy(asked) {
    if (!canSave()) return;
    if (!navigator.onLine) return tell("offline", { asked });
    try {
      const login = await standing();
      if (login !== "ready") return tell(login, { asked });
      const fields = typed();
      const answer = await put(fields);
      if (leaving) return;
      if (answer.status === 401) return tell("loggedOut", { asked });
      if (!answer.ok) return tell("unsaved", { asked });
      if (answer.status === 204) return; // stored meanwhile: nothing is left to keep
      saved = (await answer.json()).saved_at;
      dirty = !same(fields, typed());
      keep();
      tell("saved", { at: new Date() });
    } catch {
      tell("offline", { asked });
    }
  }

  // This tab's copy, unless the server has one that was saved later, as on another machine.
  async function newest() {
    const here = JSON.parse(sessionStorage.getItem(key) ?? "null");
    const kept = document.getElementById("draft-kept");
    const there = kept && { at: Date.parse(saved), fields: JSON.parse(kept.textContent) };
    if (here?.dirty && (!there || here.saved === saved || here.at > there.at)) return here;
    return here?.saved && (!saved || Date.parse(here.saved) > Date.parse(saved)) ? keptSince() : there;
  }

  // A copy may reach the server while this page was already on its way.
  async function keptSince() {
    const answer = await fetch(note.dataset.url, { credentials: "same-origin" }).catch(() => null);
    if (answer?.status !== 200) return null;
    const { saved_at, fields } = await answer.json();
    saved = saved_at;
    return { at: Date.parse(saved), fields };
  }

  // The version that was read comes back too: a draft does not overwrite what was stored since.
  async function restore() {
    const draft = await newest();
    if (!draft) return forget([key]);
    dirty = !!draft.dirty;
    if (same(draft.fields, typed())) return;
    form.dispatchEvent(new CustomEvent("restoring", { detail: grouped(draft.fields) })); // a page may add rows
    if (lacks(draft.fields) && (await filledByServer(draft))) return;
    fill(draft.fields);
    note.querySelector("[data-draft-restored]").textContent = words("restored").replace("{time}", clock(new Date(draft.at)));
    note.hidden = false;
    if (!draft.dirty) {
      clearTimeout(timer);
      dirty = false;
      keep();
    }
  }

  const lacks = (fields) => fields.some(([name, value]) => value && !form.elements.namedItem(name));

  // Rows that were added later are on no fresh page: the server puts them there.
  async function filledByServer(draft) {
    const address = new URL(location.href);
    if (address.searchParams.has("draft")) return false;
    if (draft.dirty && !(await put(draft.fields).catch(() => null))?.ok) return false;
    if (draft.dirty) sessionStorage.setItem(key, JSON.stringify({ ...draft, dirty: false }));
    address.searchParams.set("draft", "1");
    leaving = true;
    location.replace(address);
    return true;
  }

  function fill(fields) {
    const values = grouped(fields);
    for (const field of form.elements) {
      const said = values.get(field.name);
      if (UNSENT.test(field.name)) continue;
      if (field.matches("[type=radio], [type=checkbox]")) field.checked = !!said?.includes(field.value);
      else if (field.matches("select[multiple]")) for (const option of field.options) option.selected = !!said?.includes(option.value);
      else if (said) field.value = said[0];
    }
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

  // One sentence for both, and the way to the login.
  function say(state, outcome) {
    const known = words(outcome) ? outcome : "offline";
    state.textContent = words(known);
    judgment = known;
    tell(known);
  }

  // The server's judgment of what is typed, 250 ms after the last key; `show` puts it on the page.
  function judge(panel, state, show) {
    let timer, request;

    async function preview() {
      request?.abort();
      const mine = (request = new AbortController());
      const slow = setTimeout(() => (state.textContent = form.dataset.waiting), 400);
      try {
        if (!navigator.onLine) throw new Error("offline");
        const login = await standing();
        if (login !== "ready") throw new Error(login);
        const answer = await fetch(form.dataset.preview, {
          method: "POST", body: asked(), signal: mine.signal, credentials: "same-origin",
        });
        if (answer.redirected) throw new Error("loggedOut");
        if (!answer.ok) throw new Error(answer.status);
        show(await answer.text());
        form.classList.remove("not-current");
        judgment = undefined;
        state.textContent = "";
      } catch (error) {
        if (error.name === "AbortError") return;
        form.classList.add("not-current"); // old numbers are hidden, rather than taken for new ones
        say(state, error.message);
      } finally {
        clearTimeout(slow);
      }
    }

    // What was refused is asked about with all that is wrong with it, so that what is right now is said.
    function asked() {
      const body = new FormData(form);
      if ("bound" in form.dataset) body.set("refused", "1");
      return body;
    }

    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(preview, 250);
    };
    form.addEventListener("input", soon);
    addEventListener("online", soon);
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

  // Leaving a part of the form is a good moment to save.
  function left(event) {
    const part = event.target.closest("section, fieldset, [data-section]");
    if (dirty && part && event.relatedTarget && !part.contains(event.relatedTarget)) save();
  }

  async function send(event) {
    keep();
    sessionStorage.setItem(SENT, key);
    if (!navigator.onLine) {
      event.preventDefault();
      return tell("offline", { asked: true });
    }
    if (cookie && cookie === csrfCookie()) return;
    event.preventDefault();
    const login = await standing().catch(() => "offline");
    if (login === "ready") form.requestSubmit(event.submitter);
    else tell(login, { asked: true });
  }

  function disableOnce(event) {
    if (event.defaultPrevented) return;
    leaving = true;
    clearTimeout(timer);
    const again = ["more", "check"].includes(event.submitter?.name);
    if (!again) setTimeout(() => event.submitter?.setAttribute("disabled", "")); // its value is sent first
  }

  function discard() {
    leaving = true;
    clearTimeout(timer);
    forget([key]);
  }

  async function logOut(event) {
    if (form && dirty && !leaving) {
      event.preventDefault();
      await save();
      leaving = true;
      event.target.submit();
    }
    forget(drafts());
    logouts.postMessage(user);
  }

  // Of a value that a colleague stored and the one that was typed, the field shows the one chosen.
  function take(event) {
    if (!event.target.name?.startsWith("take:")) return;
    const name = event.target.name.slice("take:".length);
    const values = event.target.dataset.values;
    if (values !== undefined) show(name, JSON.parse(values));
  }

  function show(name, values) {
    for (const field of form.elements) {
      if (field.name !== name) continue;
      if (field.matches("[type=radio], [type=checkbox]")) field.checked = values.includes(field.value);
      else field.value = values[0] ?? "";
    }
    form.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // What was sent is stored where the page that answers says so.
  if (document.querySelector("[data-message=success]")) forget([sessionStorage.getItem(SENT)]);
  forget([SENT]);
  if (user) forget(drafts().filter((name) => !name.startsWith(`draft:${user}:`)));
  logouts.addEventListener("message", () => {
    leaving = true;
    forget(drafts());
  });
  document.querySelector("form[data-logout]")?.addEventListener("submit", logOut);
  if (form) {
    document.addEventListener("input", changed); // after the form's own listeners, which fill in more
    document.addEventListener("change", take);
    form.addEventListener("keydown", onward);
    form.addEventListener("focusout", left);
    form.addEventListener("submit", send);
    form.addEventListener("submit", disableOnce);
    note?.querySelector("[data-discard]").addEventListener("click", discard);
    const button = form.querySelector("[data-draft-save]");
    if (button) {
      button.hidden = false;
      button.addEventListener("click", saveNow);
    }
    addEventListener("online", () => save());
    addEventListener("offline", () => tell("offline"));
    addEventListener("pagehide", () => {
      if (canSave() && navigator.onLine) put(typed()).catch(() => {});
    });
    // After the page's own script, which listens to what is restored. What was refused is typed.
    if ("bound" in form.dataset) addEventListener("DOMContentLoaded", changed);
    else addEventListener("DOMContentLoaded", restore);
  }

  return { judge };
})();
