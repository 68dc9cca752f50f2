/* The worklist: selection, live rows that never jump, keys. HTML always comes from the server. */
"use strict";
(() => {
  const { $, keys, remember } = window.tidings;
  const pane = $("#pane");
  const body = () => $("#row-body");
  const rows = () => [...document.querySelectorAll("#row-body > tr.row")];
  const selected = () => $("#row-body > tr.selected");
  const row = (id) => document.getElementById(`e-${id}`);
  const background = { "Tidings-Background": "1" };
  let loading = 0;

  /* selection */
  function mark(next) {
    for (const old of document.querySelectorAll("#row-body > tr.selected")) {
      old.classList.remove("selected");
      $(".row-link", old)?.removeAttribute("aria-current");
    }
    for (const link of document.querySelectorAll('#row-body .row-link[tabindex="0"]')) link.tabIndex = -1;
    if (!next) return;
    next.classList.add("selected");
    const link = $(".row-link", next);
    link.setAttribute("aria-current", "true");
    link.tabIndex = 0;
  }

  function select(next, { focus = true, wait = 0, show = false } = {}) {
    if (!next) return;
    mark(next);
    if (focus) $(".row-link", next).focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
    clearTimeout(loading);
    loading = setTimeout(() => open(next.dataset.id, show), wait);
  }

  async function open(id, show) {
    const address = new URL(location.href);
    address.searchParams.set("open", id);
    history.replaceState(null, "", address);
    await htmx.ajax("GET", `/worklist/episodes/${id}`, { source: pane, target: pane, swap: "innerHTML" });
    $(".pane-body", pane)?.scrollTo(0, 0);
    beat();
    if (show) { pane.classList.add("shown"); pane.focus(); }
  }

  function step(by) {
    const all = rows();
    const at = all.indexOf(selected());
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
    if (next && next !== selected()) select(next, { wait: 90 });
    else if (next) select(next);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".row-link");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      select(link.closest("tr"), { show: narrow() || event.detail === 0 });
    }
    if (event.target.closest("[data-pane-back]")) back();
    const claim = event.target.closest('[hx-post$="/claim"]');
    if (claim) optimistic(claim);
  });

  const narrow = () => matchMedia("(max-width: 900px)").matches;

  function back() {
    pane.classList.remove("shown");
    $(".row-link", selected() || document)?.focus();
  }

  /* a claim shows at once; the server's answer is the row itself, so a refusal repairs it */
  function optimistic(button) {
    const id = button.getAttribute("hx-post").split("/")[2];
    const cell = row(id) && $(".owner", row(id));
    if (!cell) return;
    const you = document.createElement("span");
    you.className = "owner-name";
    you.textContent = "You";
    const old = $(".button", cell);
    if (old && old !== button) old.replaceWith(you);
    else if (old) { old.classList.add("sr"); cell.prepend(you); }
  }

  /* what changed elsewhere: known rows morph in place, unknown ones wait behind the bar */
  const changed = new Set();
  const waiting = new Map();
  const GATHERS = 10; /* the server has gathered already: this joins its two kinds of events */
  const COUNTS = 2000; /* and up to three times that: not every page asks for the numbers at once */
  let batch = 0;
  let counting = 0;
  let busy = false;
  let restsUntil = 0;

  /* soon; but a page rests as long as its last answer took, so that a slow server gets slack */
  function refreshSoon(ids) {
    for (const id of ids) if (row(id)) changed.add(id);
    counting ||= setTimeout(count, COUNTS * (1 + 2 * Math.random()));
    if (changed.size && !busy) batch ||= setTimeout(refresh, Math.max(GATHERS, restsUntil - performance.now()));
  }

  /* `source` keeps the two kinds of requests from waiting for each other */
  async function fetchChanges(source, more) {
    const query = new URLSearchParams(location.search);
    query.delete("open");
    for (const [name, value] of more) query.append(name, value);
    await htmx.ajax("GET", `/worklist/rows?${query}`, { source, target: source, swap: "none", headers: background });
  }

  /* the numbers above the list: they may come later than the rows */
  async function count() {
    counting = 0;
    await fetchChanges("#live", []);
    bubble();
  }

  async function refresh() {
    const began = performance.now();
    batch = 0;
    busy = true;
    const ids = [...changed].slice(0, 200);
    for (const id of ids) changed.delete(id);
    const head = $("#pane-head");
    const pane = head && ids.includes(head.dataset.episode) ? [["pane", head.dataset.episode]] : [];
    try {
      await fetchChanges("#sr", [["numbers", "no"], ...pane, ...ids.map((id) => ["ids", id])]);
    } finally {
      busy = false;
      restsUntil = 2 * performance.now() - began;
      keepMark();
      if (changed.size) refreshSoon([]);
    }
  }

  function keepMark() {
    const head = $("#pane-head");
    const id = selected()?.dataset.id || head?.dataset.episode;
    if (id && row(id) && !row(id).classList.contains("selected")) mark(row(id));
  }

  function bubble() {
    const count = $("#stats")?.dataset.critical;
    const at = $("#nav-critical");
    if (at && count) at.firstChild.textContent = count;
  }

  const live = $("#live");
  const told = (event) => JSON.parse(event.detail.data);
  live.addEventListener("rows", (event) => refreshSoon(told(event).ids));
  live.addEventListener("new", (event) => {
    const { ids, severities } = told(event);
    ids.forEach((id, at) => { if (!row(id)) waiting.set(id, severities[at]); });
    refreshSoon(ids);
    announce();
  });

  /* presence: weak, forgotten by itself; one's own name is left out */
  const viewers = new Map();
  function showPresence(id) {
    const seen = viewers.get(id);
    const at = $(`[data-presence="${CSS.escape(id)}"]`);
    const others = seen && Date.now() - seen.at < 35000 ? seen.who.filter((name) => name !== document.body.dataset.me) : [];
    if (at) at.textContent = others.length ? `${others.join(", ")} viewing` : "";
  }
  live.addEventListener("presence", (event) => {
    const { id, who } = told(event);
    viewers.set(id, { who, at: Date.now() });
    showPresence(id);
  });
  function beat() {
    const id = $("#pane-head")?.dataset.episode;
    if (id && !document.hidden) htmx.ajax("POST", `/episodes/${id}/viewing`, { source: "#main", target: "#sr", swap: "none", headers: background });
    for (const known of viewers.keys()) showPresence(known);
  }
  setInterval(beat, 12000);
  document.addEventListener("tidings:live-again", () => refreshSoon(rows().map((each) => each.dataset.id)));

  function announce() {
    const bar = $("#new-bar");
    const critical = [...waiting.values()].filter((level) => level === 1).length;
    const many = waiting.size;
    bar.hidden = !many;
    bar.classList.toggle("critical", critical > 0);
    const words = `${many} new alert${many === 1 ? "" : "s"}${critical ? `, ${critical === 1 && many === 1 ? "" : `${critical} `}critical` : ""}. Show`;
    $("#new-words").textContent = words;
    document.title = many ? `(${many}) Worklist - Tidings` : "Worklist - Tidings";
    if (critical) $("#urgent").textContent = `New critical alert. ${many} waiting.`;
  }

  async function showNew() {
    waiting.clear();
    announce();
    const query = new URLSearchParams(location.search);
    query.delete("open");
    await htmx.ajax("GET", `/worklist/list?${query}`, { source: "#scroller", target: "#scroller", swap: "innerHTML" });
    $("#scroller").scrollTop = 0;
    keepMark();
    $(".row-link", selected() || body() || document)?.focus({ preventScroll: true });
  }
  $("#new-bar").addEventListener("click", showNew);

  /* after an action: the closed row goes, the pane moves on */
  let following = null;
  document.addEventListener("htmx:before:request", (event) => {
    const action = event.detail.ctx.request.action;
    if (/^\/episodes\/[^/]+\/resolve/.test(action)) {
      const at = row(action.split("/")[2]);
      following = at?.nextElementSibling?.matches(".row") ? at.nextElementSibling : at?.previousElementSibling;
    }
  });
  document.addEventListener("htmx:after:request", (event) => {
    const done = event.detail.ctx.response.headers.get("Tidings-Done");
    if (!done) return;
    const { closed, opens } = JSON.parse(done);
    setTimeout(() => {
      bubble();
      if (!closed) { keepMark(); return; }
      if (opens && row(opens)) select(row(opens));
      else if (opens) open(opens, narrow());
      else if (following?.isConnected && following.matches(".row")) select(following);
      else { pane.classList.remove("shown"); }
    }, 30);
  });

  /* ticking */
  function clockWords(seconds) {
    const whole = Math.floor(Math.abs(seconds));
    if (whole < 3600) return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
    if (whole < 172800) return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")}`;
    return `${Math.floor(whole / 86400)} d`;
  }
  setInterval(() => {
    if (document.hidden) return;
    const now = Date.now() / 1000;
    for (const clock of document.querySelectorAll(".clock[data-due]")) {
      const left = clock.dataset.due - now;
      const text = clockWords(left);
      const time = clock.firstElementChild;
      if (time.textContent === text) continue;
      time.textContent = text;
      const late = left < 0;
      const share = late ? 1 : Math.min(1, left / Math.max(clock.dataset.due - clock.dataset.opened, 1));
      clock.lastElementChild.textContent = late ? "late" : "left";
      const soon = !late && share < 0.2;
      clock.closest("td").className = `respond${late ? " late" : soon ? " soon" : ""}`;
      const bar = clock.nextElementSibling;
      bar?.setAttribute("class", `bar${late ? " late" : soon ? " soon" : ""}`);
      bar?.lastElementChild.setAttribute("width", String(Math.round(share * 1000) / 10));
    }
  }, 1000);

  /* keys */
  const press = (key) => () => {
    const at = selected();
    const head = $("#pane-head");
    const ready = head && at && head.dataset.episode === at.dataset.id;
    const button = ready || (head && !at) ? $(`[data-key="${key}"]`, pane) : null;
    if (button) button.click();
    else if (key === "c" && at) $(".owner .button", at)?.click();
    else if (at) { clearTimeout(loading); open(at.dataset.id, false).then(() => $(`[data-key="${key}"]`, pane)?.click()); }
  };
  for (const key of ["c", "p", "m", "s", "e", "r"]) keys.set(key, press(key));
  keys.set("j", () => step(1));
  keys.set("k", () => step(-1));
  keys.set("n", () => { if (waiting.size) showNew(); });
  keys.set("x", () => { const box = selected() && $("input[name=ids]", selected()); if (box) { box.checked = !box.checked; ticked(); } });
  keys.set("Escape", (event) => {
    const menu = $("details.menu[open]");
    if (menu) { menu.open = false; $("summary", menu).focus(); return; }
    if (pane.contains(event.target) || pane.classList.contains("shown")) back();
    else if (ticks().length) clearTicks();
    else event.target.blur?.();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    $("[data-save-next]", pane)?.click();
  });

  /* bulk */
  const ticks = () => [...document.querySelectorAll("input[name=ids]:checked")];
  function ticked() {
    const all = ticks();
    $("#bulk").hidden = !all.length;
    const critical = all.filter((box) => box.closest("tr").dataset.severity === "1").length;
    $("#bulk-words").textContent = `${all.length} selected${critical ? `, ${critical} critical` : ""}`;
  }
  function clearTicks() { for (const box of ticks()) box.checked = false; ticked(); }
  document.addEventListener("change", (event) => { if (event.target.name === "ids") ticked(); });
  document.addEventListener("htmx:after:swap", ticked);
  $("#bulk-clear").addEventListener("click", clearTicks);

  $("#density").addEventListener("click", (event) => {
    const compact = document.body.dataset.density !== "compact";
    if (compact) document.body.dataset.density = "compact";
    else delete document.body.dataset.density;
    event.currentTarget.setAttribute("aria-pressed", String(compact));
    remember("density", compact ? "compact" : "comfortable");
  });

  /* start: select what the address or the server opened, else the first row */
  const head = $("#pane-head");
  if (head && row(head.dataset.episode)) mark(row(head.dataset.episode));
  else if (!head && rows().length && !narrow()) select(rows()[0], { focus: false });
  else if (rows().length) $(".row-link", rows()[0]).tabIndex = 0;
  if (head && narrow() && new URLSearchParams(location.search).has("open")) pane.classList.add("shown");
})();
