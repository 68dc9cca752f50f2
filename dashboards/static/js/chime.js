/* A chime for new critical alerts: of all tabs of a browser one leads and rings, also when hidden. */
"use strict";
(() => {
  const KEY = "tidings-chime";
  const NOTES = [880, 660];
  const live = document.getElementById("live");
  const box = document.getElementById("chime-switch");
  let leads = false;
  let own = null;
  let audio = null;

  const read = () => { box.checked = localStorage.getItem(KEY) !== "off"; };
  read();
  box.addEventListener("change", () => localStorage.setItem(KEY, box.checked ? "on" : "off"));
  addEventListener("storage", (event) => { if (event.key === KEY) read(); });

  function ring() {
    document.dispatchEvent(new CustomEvent("tidings:chime", { detail: { sound: box.checked } }));
    if (!box.checked) return;
    audio ??= new AudioContext();
    audio.resume();
    NOTES.forEach((pitch, at) => {
      const tone = new OscillatorNode(audio, { frequency: pitch });
      const volume = new GainNode(audio, { gain: 0 });
      const start = audio.currentTime + at * 0.22;
      volume.gain.setValueAtTime(0.18, start);
      volume.gain.exponentialRampToValueAtTime(0.001, start + 0.35);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.36);
    });
  }

  function heard(told) {
    if (leads && JSON.parse(told).severities.includes(1)) ring();
  }
  live.addEventListener("new", (event) => heard(event.detail.data));

  /* the page's own stream pauses while it is hidden: the leader then listens by itself */
  function listen() {
    own?.close();
    own = null;
    if (!leads || !document.hidden) return;
    own = new EventSource("/events");
    own.addEventListener("new", (event) => heard(event.data));
    own.addEventListener("signed-out", () => own?.close());
  }
  document.addEventListener("visibilitychange", listen);
  navigator.locks?.request(KEY, () => {
    leads = true;
    document.body.dataset.leads = "";
    listen();
    return new Promise(() => {});
  });
})();
