// A request that waits: said, counted in title and icon, and, for whoever asked for it, a sound and a notification.
(() => {
  "use strict";

  const $ = (id) => document.getElementById(id);
  const WANTED = "patchbay-alerts", KNOWN = "patchbay-known"; // on or off; the requests that were told already
  const MOST_KNOWN = 200;
  const LATER_MS = 300;
  const title = document.title;
  const icon = document.querySelector("link[rel=icon]"), plain = icon.href;
  const wanted = () => localStorage.getItem(WANTED) === "on";
  let audio = null;

  // ── counting ────────────────────────────────────────────────────────────────────────────────
  const waiting = () => ($("waiting")?.dataset.ids || "").split(",").filter(Boolean);

  /** On the wallboard all that needs somebody, elsewhere the requests. */
  function count() {
    const many = $("needs") ? document.querySelectorAll(".need:not(.leaving)").length : waiting().length;
    const text = many ? `(${many}) ${title}` : title;
    if (document.title === text) return;
    document.title = text;
    icon.href = many ? counted(many) : plain;
  }

  function counted(many) {
    const shown = many > 9 ? "9+" : many;
    const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="5" fill="#7a4a00"/><text x="12" y="17.5" font-family="sans-serif" font-size="15" font-weight="700" text-anchor="middle" fill="#fff">${shown}</text></svg>`;
    return `data:image/svg+xml,${encodeURIComponent(drawing)}`;
  }

  // ── telling ─────────────────────────────────────────────────────────────────────────────────
  /** Once in all the tabs of a browser: whoever notes a request first tells of it. */
  async function unknown(ids) {
    const note = () => {
      const known = new Set((localStorage.getItem(KNOWN) || "").split(","));
      const fresh = ids.filter((id) => !known.has(id));
      if (fresh.length) localStorage.setItem(KNOWN, [...known, ...fresh].slice(-MOST_KNOWN).join(","));
      return fresh.length > 0;
    };
    return navigator.locks ? navigator.locks.request(KNOWN, note) : note();
  }

  /** Whether this tab would be heard or seen; another of theirs has the first word, if there is one that would. */
  const able = () => audio?.state === "running" || (document.hidden && window.Notification?.permission === "granted");

  let told = null; // the notification of what waits
  let said = null; // the requests that this page has spoken of; null: it was just loaded
  async function look() {
    count();
    const mark = $("waiting"), ids = waiting();
    if (!mark || mark.dataset.ids === undefined) return;
    const words = mark.dataset.say;
    if (said && ids.some((id) => !said.has(id))) Patchbay.say(words);
    said = new Set(ids);
    if (!ids.length) told?.close(); // decided
    if (ids.length && !able()) await new Promise((done) => setTimeout(done, LATER_MS));
    if (ids.length && (await unknown(ids)) && wanted()) {
      chime();
      notify(words);
    }
  }

  const gesture = () => {
    if (!wanted()) return;
    audio ||= new AudioContext();
    audio.resume();
  };
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, gesture, { passive: true });

  /** Two rising tones. A browser lets a page sound once somebody has used it. */
  function chime() {
    try {
      audio ||= new AudioContext();
      if (audio.state !== "running") return; // what cannot sound now would sound with the first click, whenever that is
      [660, 880].forEach((pitch, nth) => {
        const tone = audio.createOscillator(), volume = audio.createGain(), at = audio.currentTime + nth * 0.18;
        tone.frequency.value = pitch;
        volume.gain.setValueAtTime(0.0001, at);
        volume.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
        volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.16);
        tone.connect(volume).connect(audio.destination);
        tone.start(at);
        tone.stop(at + 0.18);
      });
    } catch { /* no audio device: title, icon and notification tell it */ }
  }

  function notify(words) {
    if (!document.hidden || !window.Notification || Notification.permission !== "granted") return;
    const shown = new Notification("Patchbay", { body: words, tag: "patchbay-approval", renotify: true, icon: plain });
    told = shown;
    shown.addEventListener("click", () => {
      window.focus();
      shown.close();
    });
  }

  // ── being asked, once; and the switch in the menu ────────────────────────────────────────────
  const line = $("ask-alerts"), control = $("alerts-switch");

  async function want(on) {
    localStorage.setItem(WANTED, on ? "on" : "off");
    if (line) line.hidden = true;
    if (control) control.checked = on;
    if (!on) return;
    gesture();
    await audio.resume().catch(() => {});
    chime();
    if (!window.Notification) return;
    const answer = Notification.permission === "default" ? await Notification.requestPermission() : Notification.permission;
    if (answer !== "granted") {
      Patchbay.notice("refused", gettext("Sound is on. Your browser does not allow notifications for this page; you can allow them in its settings."));
    }
  }

  if (control) {
    control.checked = wanted();
    control.addEventListener("change", () => want(control.checked));
  }
  if (line) {
    line.hidden = localStorage.getItem(WANTED) !== null;
    $("alerts-on").addEventListener("click", () => want(true));
    $("alerts-off").addEventListener("click", () => want(false));
  }

  // ── how the call that is open ends ──────────────────────────────────────────────────────────
  let state = "";
  function ends() {
    const badge = document.querySelector(".who-block .state");
    const now = badge?.className || "";
    const over = badge?.matches(".state-ended, .state-failed");
    if (state && now !== state && over) Patchbay.say(badge.querySelector("span").textContent);
    state = now;
  }

  document.addEventListener("patchbay:shown", () => {
    look();
    ends();
  });
  look();
  ends();
})();
