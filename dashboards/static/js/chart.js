/* Trend charts with uPlot: zones, limits in the gutter, triangles outside, bars for pressure. */
"use strict";
(() => {
  const { $ } = window.tidings;
  const charts = new Map();
  const syncs = new Map();

  /* canvas needs colours, not light-dark(): let a probe resolve them */
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  const COLOURS = ["text", "text-2", "muted", "border", "surface", "primary", "crit", "on-crit", "crit-text", "high", "high-bar", "med-bar", "low-bar", "line", "line-2", "band", "band-text", "warn-pt", "warn-zone", "danger-zone"];
  function palette() {
    return Object.fromEntries(COLOURS.map((name) => { probe.style.color = `var(--${name})`; return [name, getComputedStyle(probe).color]; }));
  }

  const font = (weight, px) => `${weight} ${px * devicePixelRatio}px Inter, system-ui, sans-serif`;

  function zones(u, spec, p) {
    const { ctx, bbox } = u;
    const tones = { target: p.band, warn: p["warn-zone"], danger: p["danger-zone"] };
    for (const zone of spec.zones) {
      const top = u.valToPos(zone.high, "y", true);
      const bottom = u.valToPos(zone.low, "y", true);
      ctx.fillStyle = tones[zone.tone];
      ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    }
  }

  function treatments(u, spec, p) {
    const { ctx, bbox } = u;
    for (const change of spec.treatments) {
      const x = u.valToPos(change.at, "x", true);
      ctx.strokeStyle = p.primary;
      ctx.lineWidth = 2 * devicePixelRatio;
      ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
      line(ctx, x, bbox.top - 4 * devicePixelRatio, x, bbox.top + bbox.height);
      ctx.setLineDash([]);
      ctx.fillStyle = p.primary;
      ctx.font = font(600, 12);
      const wide = ctx.measureText(change.label).width / 2;
      ctx.textAlign = "center";
      ctx.textBaseline = "bottom";
      ctx.fillText(change.label, Math.min(Math.max(x, bbox.left + wide), bbox.left + bbox.width - wide), bbox.top - 7 * devicePixelRatio);
    }
  }

  function line(ctx, x1, y1, x2, y2) { ctx.beginPath(); ctx.moveTo(x1, y1); ctx.lineTo(x2, y2); ctx.stroke(); }

  function limits(u, spec, p) {
    const { ctx, bbox } = u;
    const r = devicePixelRatio;
    for (const limit of spec.lines) {
      const y = u.valToPos(limit.at, "y", true);
      ctx.strokeStyle = limit.tone === "alert" ? p["crit-text"] : p["band-text"];
      ctx.lineWidth = 1.6 * r;
      ctx.setLineDash(limit.tone === "alert" ? [6 * r, 4 * r] : [2 * r, 3 * r]);
      line(ctx, bbox.left, y, bbox.left + bbox.width, y);
      ctx.setLineDash([]);
    }
  }

  /* words in the right gutter move apart so that none covers another */
  function gutter(u, spec, p) {
    const { ctx, bbox } = u;
    const r = devicePixelRatio;
    const words = spec.lines.map((limit) => ({ y: u.valToPos(limit.at, "y", true), text: limit.label, colour: limit.tone === "alert" ? p["crit-text"] : p["band-text"] }));
    if (spec.values.length) {
      const last = spec.values.length - 1;
      const out = ["high", "low"].includes(spec.tones[last]);
      words.push({ y: u.valToPos(spec.values[last], "y", true), text: spec.last, tag: out ? p.crit : p.text, colour: out ? p["on-crit"] : p.surface, x: u.valToPos(spec.times[last], "x", true) });
    }
    words.sort((a, b) => a.y - b.y);
    const placed = words.map((word) => ({ ...word, at: word.y }));
    for (let pass = 0; pass < 6; pass += 1) {
      for (let i = 1; i < placed.length; i += 1) {
        const gap = (placed[i].tag || placed[i - 1].tag ? 19 : 15) * r;
        const overlap = gap - (placed[i].at - placed[i - 1].at);
        if (overlap > 0) { placed[i - 1].at -= overlap / 2; placed[i].at += overlap / 2; }
      }
    }
    const left = bbox.left + bbox.width + 8 * r;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    for (const word of placed) {
      ctx.font = font(650, 12);
      if (word.tag) {
        const wide = ctx.measureText(word.text).width + 12 * r;
        ctx.strokeStyle = word.tag;
        ctx.lineWidth = r;
        line(ctx, word.x, word.y, left, word.at);
        ctx.fillStyle = word.tag;
        ctx.beginPath();
        ctx.roundRect(left, word.at - 9 * r, wide, 18 * r, 4 * r);
        ctx.fill();
      }
      ctx.fillStyle = word.colour;
      ctx.fillText(word.text, left + (word.tag ? 6 * r : 0), word.at + r);
    }
  }

  function alerts(u, spec, p) {
    const { ctx, bbox } = u;
    const r = devicePixelRatio;
    const tones = { critical: p["crit-text"], high: p["high-bar"], medium: p["med-bar"], low: p["low-bar"], device: p["line-2"] };
    for (const alert of spec.alerts) {
      const x = u.valToPos(alert.at, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      const y = bbox.top + 8 * r;
      ctx.strokeStyle = tones[alert.tone];
      ctx.globalAlpha = .7;
      ctx.lineWidth = r;
      line(ctx, x, y, x, bbox.top + bbox.height);
      ctx.globalAlpha = 1;
      ctx.fillStyle = tones[alert.tone];
      glyph(ctx, alert.tone, x, y, 5.5 * r);
    }
  }

  function glyph(ctx, tone, x, y, s) {
    ctx.beginPath();
    const sides = { critical: 8, high: 3, medium: 4 }[tone];
    if (!sides) ctx.arc(x, y, s * .8, 0, 2 * Math.PI);
    else for (let i = 0; i < sides; i += 1) {
      const turn = (i * 2 * Math.PI) / sides - Math.PI / 2 + (sides === 8 ? Math.PI / 8 : 0);
      ctx[i ? "lineTo" : "moveTo"](x + s * Math.cos(turn), y + s * Math.sin(turn));
    }
    ctx.closePath();
    ctx.fill();
  }

  function series(u, spec, p) {
    const { ctx, bbox } = u;
    const r = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - 6 * r, bbox.top - 6 * r, bbox.width + 12 * r, bbox.height + 12 * r);
    ctx.clip();
    const at = spec.times.map((time, i) => [u.valToPos(time, "x", true), u.valToPos(spec.values[i], "y", true)]);
    const pressure = spec.lows.some((low) => low !== null);
    const dense = at.length > 120;
    if (pressure) bars(u, spec, p, at, dense);
    else path(ctx, spec, p, at);
    at.forEach(([x, y], i) => { if (!dense || spec.tones[i] !== "in" || i === at.length - 1) point(ctx, spec.tones[i], x, y, p); });
    ctx.restore();
  }

  function path(ctx, spec, p, at) {
    ctx.strokeStyle = p.line;
    ctx.lineWidth = 1.8 * devicePixelRatio;
    ctx.lineJoin = "round";
    ctx.beginPath();
    at.forEach(([x, y], i) => ctx[i && spec.times[i] - spec.times[i - 1] < spec.gap ? "lineTo" : "moveTo"](x, y));
    ctx.stroke();
  }

  function bars(u, spec, p, at, dense) {
    const { ctx } = u;
    const r = devicePixelRatio;
    at.forEach(([x, y], i) => {
      if (spec.lows[i] === null) return;
      const bottom = u.valToPos(spec.lows[i], "y", true);
      const out = ["high", "low"].includes(spec.tones[i]);
      ctx.strokeStyle = out ? p["crit-text"] : p["line-2"];
      ctx.globalAlpha = out ? 1 : .75;
      ctx.lineWidth = (dense ? 1.2 : 2.6) * r;
      line(ctx, x, y, x, bottom);
      ctx.globalAlpha = 1;
      ctx.fillStyle = p["line-2"];
      ctx.beginPath();
      ctx.arc(x, bottom, (dense ? 1.4 : 2.6) * r, 0, 2 * Math.PI);
      ctx.fill();
    });
  }

  function point(ctx, tone, x, y, p) {
    const r = devicePixelRatio;
    const s = 4.6 * r;
    ctx.beginPath();
    if (tone === "high" || tone === "low") {
      const up = tone === "high" ? -1 : 1;
      ctx.moveTo(x, y + up * s);
      ctx.lineTo(x + s, y - up * s * .8);
      ctx.lineTo(x - s, y - up * s * .8);
      ctx.closePath();
      ctx.fillStyle = p["crit-text"];
    } else {
      ctx.arc(x, y, 2.9 * r, 0, 2 * Math.PI);
      ctx.fillStyle = tone === "warn" ? p["warn-pt"] : p.line;
    }
    ctx.strokeStyle = p.surface;
    ctx.lineWidth = 1.4 * r;
    ctx.stroke();
    ctx.fill();
  }

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  function dayWords(seconds) { const d = new Date(seconds * 1000); return `${d.getDate()} ${MONTHS[d.getMonth()]}`; }
  function momentWords(seconds, zone) {
    return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: zone }).format(new Date(seconds * 1000));
  }

  function draw(element) {
    charts.get(element)?.destroy();
    const width = element.clientWidth;
    if (!width) return;
    const spec = JSON.parse(element.dataset.chart);
    const p = palette();
    const share = (fn) => (u) => { u.ctx.save(); fn(u, spec, p); u.ctx.restore(); };
    const labels = spec.lines.map((l) => l.label).concat(spec.last).map((text) => text.length);
    const options = {
      width,
      height: Number(element.dataset.height),
      padding: [spec.treatments.length ? 24 : 10, element.dataset.sync ? 88 : Math.max(...labels) * 7.2 + 22, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false }, sync: element.dataset.sync ? { key: sync(element.dataset.sync).key } : undefined },
      scales: { x: { time: false, range: () => [spec.since, spec.until + (spec.until - spec.since) * .012] }, y: { range: () => [spec.floor, spec.ceiling] } },
      axes: [
        { stroke: p.muted, font: "12px Inter, system-ui, sans-serif", size: 30, gap: 6, grid: { show: false }, ticks: { stroke: p.border, size: 4 }, splits: () => days(spec, width), values: (_, splits) => splits.map(dayWords) },
        { stroke: p.muted, font: "12px Inter, system-ui, sans-serif", size: 44, gap: 8, grid: { stroke: p.border, width: 1, dash: [2, 4] }, ticks: { show: false }, space: 42 },
      ],
      series: [{}, { stroke: "transparent", points: { show: false } }],
      hooks: { drawClear: [share(zones)], draw: [(u) => { u.ctx.setLineDash([]); share(treatments)(u); share(limits)(u); share(alerts)(u); share(series)(u); share(gutter)(u); }], setCursor: [(u) => tip(element, u, spec)] },
    };
    charts.set(element, new uPlot(options, [spec.times, spec.values], element));
  }

  function sync(key) { if (!syncs.has(key)) syncs.set(key, uPlot.sync(key)); return syncs.get(key); }

  function days(spec, width) {
    const whole = Math.round((spec.until - spec.since) / 86400);
    const fits = Math.max(Math.floor((width - 110) / 74), 2);
    const every = Math.max(Math.ceil(whole / fits), 1);
    const first = new Date(spec.since * 1000);
    first.setHours(24, 0, 0, 0);
    const found = [];
    for (let at = first.getTime() / 1000; at <= spec.until; at += every * 86400) found.push(at);
    return found;
  }

  function tip(element, u, spec) {
    let box = $(".plot-tip", element);
    const i = u.cursor.idx;
    if (i === null || i === undefined || u.cursor.left < 0) { box?.remove(); return; }
    if (!box) { box = document.createElement("div"); box.className = "plot-tip"; element.append(box); }
    box.textContent = `${momentWords(spec.times[i], spec.zone)}  ${reading(spec, i)}`;
    const x = u.valToPos(spec.times[i], "x") + u.over.offsetLeft;
    box.style.left = `${Math.min(Math.max(x - box.offsetWidth / 2, 0), element.clientWidth - box.offsetWidth)}px`;
    box.style.top = "0px";
  }

  function reading(spec, i) {
    const value = spec.values[i].toFixed(spec.digits);
    const words = { high: ", above the alert limit", low: ", below the alert limit", warn: ", outside the target" }[spec.tones[i]] || "";
    return `${value}${spec.lows[i] === null ? "" : `/${Math.round(spec.lows[i])}`} ${spec.unit}${words}`;
  }

  /* by keyboard: left and right read each reading aloud */
  document.addEventListener("keydown", (event) => {
    const element = event.target.closest?.("[data-chart]");
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!element || !step) return;
    event.preventDefault();
    const u = charts.get(element);
    const spec = JSON.parse(element.dataset.chart);
    const at = Math.min(Math.max((Number(element.dataset.at ?? spec.times.length) || 0) + step, 0), spec.times.length - 1);
    element.dataset.at = String(at);
    u?.setCursor({ left: u.valToPos(spec.times[at], "x"), top: 1 });
    $("#sr").textContent = `${momentWords(spec.times[at], spec.zone)}: ${reading(spec, at)}`;
  });

  /* tabs of the pane */
  function tab(button) {
    const list = button.parentElement;
    for (const each of list.children) {
      const on = each === button;
      each.setAttribute("aria-selected", String(on));
      each.tabIndex = on ? 0 : -1;
      const panel = document.getElementById(each.getAttribute("aria-controls"));
      panel.hidden = !on;
      if (on) panel.querySelectorAll("[data-chart]").forEach(draw);
    }
  }
  document.addEventListener("click", (event) => { const button = event.target.closest('[role="tab"]'); if (button) tab(button); });
  document.addEventListener("keydown", (event) => {
    const button = event.target.closest?.('[role="tab"]');
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!button || !step) return;
    const all = [...button.parentElement.children];
    const next = all[(all.indexOf(button) + step + all.length) % all.length];
    next.focus();
    tab(next);
  });

  const seen = new ResizeObserver((entries) => { for (const { target } of entries) { const old = charts.get(target); if (!old || Math.abs(old.width - target.clientWidth) > 1) draw(target); } });
  function adopt(from) {
    for (const [element, chart] of charts) if (!element.isConnected) { seen.unobserve(element); chart.destroy(); charts.delete(element); }
    for (const element of from.querySelectorAll("[data-chart]")) seen.observe(element);
  }
  document.addEventListener("htmx:after:swap", () => adopt(document));
  document.addEventListener("tidings:theme", () => { for (const element of charts.keys()) draw(element); });
  document.fonts.ready.then(() => adopt(document));
})();
