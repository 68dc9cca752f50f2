/* The billing month: progress of long work, and single keys (j k Enter e [ ]). */
"use strict";
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);

  /* progress: the piece of the page asks for itself until its work has ended */
  async function poll() {
    const shown = $("[data-poll]");
    if (!shown) return;
    let text = "";
    try {
      const answer = await fetch(shown.dataset.poll, { headers: { "Tidings-Background": "1" } });
      if (!answer.ok) return;
      text = await answer.text();
    } catch {
      setTimeout(poll, 3000);
      return;
    }
    if (!text.includes("data-poll")) {
      location.reload();
      return;
    }
    const fresh = new DOMParser().parseFromString(text, "text/html");
    shown.parentElement.replaceChildren(...fresh.body.childNodes);
    setTimeout(poll, 700);
  }
  if ($("[data-poll]")) setTimeout(poll, 400);

  /* keys */
  const links = () => [...document.querySelectorAll("#bill-table .bill-link")];
  const at = () => links().indexOf(document.activeElement);

  function select(place) {
    const all = links();
    const link = all[Math.max(0, Math.min(all.length - 1, place))];
    if (!link) return;
    for (const each of document.querySelectorAll("#bill-table .selected")) each.classList.remove("selected");
    link.closest("tr").classList.add("selected");
    link.focus({ preventScroll: true });
    link.closest("tr").scrollIntoView({ block: "nearest" });
  }

  function month(step) {
    const all = [...document.querySelectorAll(".bill-actions .segments a")];
    const next = all[all.findIndex((each) => each.ariaCurrent) + step];
    if (next) next.click();
  }

  const KEYS = {
    j: () => select(at() + 1),
    k: () => select(at() < 0 ? 0 : at() - 1),
    e: () => $("#export")?.click(),
    "[": () => month(-1),
    "]": () => month(1),
    Escape: () => $("#back")?.click(),
  };
  document.addEventListener("keydown", (event) => {
    if (document.body.dataset.keys !== "on" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]") || $("dialog[open]")) return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
