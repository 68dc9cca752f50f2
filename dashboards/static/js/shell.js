/* What every page shares: theme, dialogs, toasts, the live state, single-key shortcuts. */
"use strict";
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const LOST_AFTER = 20000;

  function remember(name, value) {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax${secure}`;
  }

  /* theme */
  document.addEventListener("change", (event) => {
    if (event.target.name === "theme") {
      const theme = event.target.value;
      if (theme) document.documentElement.dataset.theme = theme;
      else delete document.documentElement.dataset.theme;
      remember("theme", theme);
      document.dispatchEvent(new CustomEvent("tidings:theme"));
    }
    if (event.target.id === "keys-switch") {
      document.body.dataset.keys = event.target.checked ? "on" : "off";
      remember("keys", document.body.dataset.keys);
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new CustomEvent("tidings:theme")));

  /* dialogs, menus, toasts */
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    const opener = at("[data-open-dialog]");
    if (opener) document.getElementById(opener.dataset.openDialog).showModal();
    const closer = at("[data-close-dialog]");
    if (closer) closer.closest("dialog").close();
    if (at("[data-close-toast]")) at(".toast").remove();
    const table = at("[data-table]");
    if (table) {
      const panel = document.getElementById(table.dataset.table);
      panel.hidden = !panel.hidden;
      table.setAttribute("aria-expanded", String(!panel.hidden));
    }
    const goes = at("[data-goes-to]");
    if (goes) goTo(goes.dataset.goesTo);
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  function goTo(id) {
    const section = document.getElementById(id);
    if (!section) return;
    section.scrollIntoView({ block: "start" });
    ($("input, textarea, button", section) || section).focus({ preventScroll: true });
  }

  function toast(text, tone = "") {
    const made = document.createElement("div");
    made.className = `toast ${tone}`;
    made.dataset.seconds = "8";
    const words = document.createElement("span");
    words.textContent = text;
    made.append(words);
    $("#toasts").replaceChildren(made);
    arm();
  }

  function arm() {
    for (const each of document.querySelectorAll(".toast:not([data-armed])")) {
      each.dataset.armed = "";
      const end = () => {
        if (each.matches(":hover, :focus-within")) setTimeout(end, 1000);
        else each.remove();
      };
      setTimeout(end, Number(each.dataset.seconds) * 1000);
    }
  }

  document.addEventListener("htmx:after:swap", (event) => {
    arm();
    const target = event.detail.ctx?.target;
    if (target?.id === "ask-body" && target.childElementCount && !$("#ask").open) $("#ask").showModal();
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.request?.action?.startsWith("/events")) return;
    if (event.detail.ctx?.request?.headers?.["Tidings-Background"]) return;
    toast("No connection. Nothing was changed.", "danger");
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { response } = event.detail.ctx;
    if (response.status === 401) lock();
    if (response.headers.has("Tidings-Close-Dialog")) $("#ask").close();
  });

  function lock() {
    const dialog = $("#locked");
    if (!dialog || dialog.open) return;
    $("#sign-in-again").href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
    for (const open of document.querySelectorAll("dialog[open]")) open.close();
    dialog.showModal();
  }

  /* a screen that is left alone locks itself; asking does not keep the session awake */
  async function check() {
    const headers = { "Tidings-Background": "1", Accept: "application/json" };
    const answer = await fetch("/account/session", { headers }).catch(() => null);
    if (answer?.status === 401) { lock(); return; }
    const left = answer?.ok ? (await answer.json()).seconds : 60;
    setTimeout(check, (left + 1) * 1000);
  }
  setTimeout(check, 60000);

  /* live or not: named events and ticks come at least every eight seconds */
  const live = $("#live");
  const shown = $("#live-state");
  let heard = Date.now();
  let state = "connecting";

  function show(next, word) {
    if (next === state) return;
    const was = state;
    state = next;
    shown.dataset.state = next;
    $(".live-word", shown).textContent = word;
    if (next === "live" && was === "lost") {
      $("#stale").hidden = true;
      delete document.body.dataset.stale;
      document.dispatchEvent(new CustomEvent("tidings:live-again"));
    }
    if (next === "lost") {
      const since = new Date(heard).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      $("#stale").textContent = `Not live since ${since}. What you see may be out of date.`;
      $("#stale").hidden = false;
      document.body.dataset.stale = "";
    }
  }

  function hear() {
    heard = Date.now();
    if (shown) show("live", "Live");
  }

  if (live) {
    for (const name of ["hello", "tick", "rows", "new", "presence", "resync"]) live.addEventListener(name, hear);
    live.addEventListener("signed-out", lock);
    live.addEventListener("resync", () => document.dispatchEvent(new CustomEvent("tidings:live-again")));
    document.addEventListener("visibilitychange", () => { if (!document.hidden) heard = Math.max(heard, Date.now() - LOST_AFTER / 2); });
    setInterval(() => { if (shown && !document.hidden && Date.now() - heard > LOST_AFTER) show("lost", "Not live"); }, 1000);
  }

  /* single keys: off in fields, with modifiers, in dialogs, and when switched off */
  const keys = new Map();
  let prefix = "";

  function typing(target) {
    return target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { keys.get("Escape")?.(event); return; }
    if (document.body.dataset.keys === "off" || typing(event.target) || $("dialog[open]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = keys.get(prefix ? `${prefix} ${key}` : key);
    prefix = !prefix && key === "g" ? "g" : "";
    if (action) { event.preventDefault(); action(event); }
  });

  keys.set("/", () => $("#find")?.focus());
  keys.set("?", () => $("#keys")?.showModal());
  keys.set("z", () => $("#toasts [data-undo]")?.click());
  keys.set("g w", () => { location.href = "/worklist"; });
  keys.set("g p", () => { const link = $('[data-key="g p"]'); if (link) link.click(); else location.href = "/patients"; });

  window.tidings = { $, keys, toast, remember, goTo, lock, hear };
})();
