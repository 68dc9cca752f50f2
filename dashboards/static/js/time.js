/* Counting time: starts when a patient stays open, pauses when idle or hidden, one patient at a time. */
"use strict";
(() => {
  const { $ } = window.tidings;
  const IDLE = 90000;
  const SETTLE = 2000;
  const BEAT = 5000;
  const token = () => JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRF-Token"];
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("tidings-timer") : null;
  let timer = null;
  let active = Date.now();

  async function say(event, reason = "", which = timer) {
    if (!which) return;
    const body = new URLSearchParams({ timer_id: which.id, event, reason });
    const headers = { "X-CSRF-Token": token(), "Tidings-Background": "1" };
    try {
      const answer = await fetch(`/patients/${which.patient}/beat`, { method: "POST", body, headers, keepalive: true });
      if (!answer.ok) return;
      const told = await answer.json();
      if (which !== timer) return;
      which.running = told.running;
      which.base = told.seconds;
      which.at = Date.now();
      if (told.elsewhere) which.paused = "elsewhere";
      show();
    } catch { which.running = false; }
  }

  function show() {
    const chip = $("#timer");
    if (!chip || !timer) return;
    const seconds = Math.floor(timer.base + (timer.running ? (Date.now() - timer.at) / 1000 : 0));
    chip.dataset.state = timer.running ? "on" : "paused";
    const words = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    $("#timer-words").textContent = timer.running ? words : `${words} paused`;
    chip.setAttribute("aria-label", timer.running ? `Counting time, ${words}. Pause` : `Time paused at ${words}. Resume`);
  }

  function start(patient) {
    if (timer?.patient === patient) { show(); return; }
    stop("closed");
    timer = { id: crypto.randomUUID(), patient, running: false, base: 0, at: Date.now(), paused: "", started: false };
    const mine = timer;
    setTimeout(() => {
      if (mine !== timer || document.hidden) return;
      mine.started = true;
      tabs?.postMessage(mine.id);
      say("start");
    }, SETTLE);
    show();
  }

  function stop(reason) {
    if (timer?.started) say("stop", reason, timer);
    timer = null;
  }

  function pause(reason) { if (timer?.running && !timer.call) { timer.paused = reason; timer.running = false; say("pause", reason); show(); } }
  function resume() {
    if (!timer || timer.running) return;
    timer.paused = "";
    timer.started = true;
    tabs?.postMessage(timer.id);
    say("resume");
  }

  tabs?.addEventListener("message", (event) => { if (timer && event.data !== timer.id) { timer.running = false; timer.paused = "elsewhere"; show(); } });

  function adopt() {
    const chip = $("#timer");
    if (chip) start(chip.dataset.timer);
  }

  document.addEventListener("htmx:after:swap", adopt);
  document.addEventListener("click", (event) => {
    if (event.target.closest("#timer")) { if (timer?.running) { const was = timer.call; timer.call = false; pause("manual"); timer.call = was; } else resume(); }
    const call = event.target.closest('a[href^="tel:"]');
    if (call && timer) { timer.call = !timer.call; say(timer.call ? "call_start" : "call_end"); call.classList.toggle("in-call", timer.call); }
  });
  for (const name of ["pointermove", "keydown", "scroll", "pointerdown"]) {
    document.addEventListener(name, () => {
      active = Date.now();
      if (timer && ["idle", "hidden"].includes(timer.paused)) resume();
    }, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) pause("hidden");
    else if (timer?.paused === "hidden") resume();
  });
  window.addEventListener("pagehide", () => stop("closed"));
  setInterval(() => { if (Date.now() - active > IDLE) pause("idle"); show(); }, 1000);
  setInterval(() => { if (timer?.running) say("beat"); }, BEAT);
  adopt();
})();
