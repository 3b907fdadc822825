// The desk: what the page shows decides whether it rings, and where this browser's microphone belongs.
(() => {
  "use strict";

  const $ = (id) => document.getElementById(id);
  const desk = $("desk"), TYPED = 9e15; // a version no server gives: what is typed is not taken away
  const title = document.title;
  const CLAIM_MS = 500; // a page that is loaded again finds the id free once the one before it is gone
  let before = {}, leads = false, going = false, note = null, refreshed = "";

  // ── which window this is: the one in which a call was taken has the microphone ─────────────────
  let tab = sessionStorage.getItem("patchbay-desk-tab") || Patchbay.uuid();

  /** Whether no other window has this id: a window that is duplicated has its original's. */
  const claim = (id) => new Promise((done) => {
    if (!navigator.locks) return done(true);
    const held = () => {
      done(true);
      return new Promise(() => {});
    };
    navigator.locks.request(`patchbay-desk-${id}`, { signal: AbortSignal.timeout(CLAIM_MS) }, held).catch(() => done(false));
  });

  async function identify() {
    if (!(await claim(tab))) {
      tab = Patchbay.uuid();
      await claim(tab);
    }
    sessionStorage.setItem("patchbay-desk-tab", tab);
  }

  // ── what changes ────────────────────────────────────────────────────────────────────────────
  const SAID = {
    briefing: gettext("You are on the line with the transfer agent."),
    joining: gettext("You are being joined with the caller."),
    talking: gettext("You are with the caller."),
    after: gettext("The call is over. Say how it went; Enter finishes."),
  };

  const OPEN = new Set(["ringing", "accepted", "briefing", "joining"]);

  function look() {
    const now = { ...$("desk-now").dataset };
    const here = now.way === "here", mine = now.tab === tab;
    $("desk-elsewhere").hidden = !(here && now.tab && !mine && now.stage !== "after");
    ring(now.stage === "ringing" && !(now.tab && !mine), now);
    window.PatchbayLine.want(here && mine && now.room
      ? { attempt: now.attempt, where: now.room, url: now.line, tab }
      : null);
    if (now.stage !== before.stage || now.attempt !== before.attempt) changed(now);
    before = now;
  }

  function changed(now) {
    desk.dataset.stage = now.stage;
    prune("desk-talk", now.call && `desk-talk-${now.call}`);
    prune("desk-notes", now.attempt && `desk-note-${now.attempt}`);
    if (now.call !== before.call) document.dispatchEvent(new CustomEvent("patchbay:views"));
    if (now.stage === "ringing") Patchbay.say(interpolate(gettext("A caller for %(department)s. Press A to accept, D to decline."), now, true));
    else if (now.stage === "accepted") Patchbay.say(now.way === "here" ? gettext("Your microphone is being connected.") : gettext("Pick up your phone."));
    else if (SAID[now.stage]) Patchbay.say(SAID[now.stage]);
    if (now.stage !== "ringing" && before.stage === "ringing" && $("panel").open) $("panel").close();
    if (OPEN.has(before.stage) && now.stage === "idle") over();
    if (before.stage && document.activeElement === document.body) $("desk-title").focus({ preventScroll: true });
    const talk = desk.querySelector("[data-follows]");
    if (talk) talk.scrollTop = talk.scrollHeight;
  }

  /** A call that went before they had the caller says why, for its card does not any more. */
  function over() {
    const row = $("desk-today").querySelector(`[data-focus="${before.attempt}"]`);
    if (["declined", "redirected"].includes(row?.dataset.outcome)) return; // by themselves, and they were told
    const words = row ? interpolate(gettext("The call of %(caller)s is over for you: %(went)s."), row.dataset, true)
      : gettext("The call is over for you.");
    Patchbay.notice("refused", words);
    Patchbay.say(words);
  }

  /** Of another call nothing is left. */
  function prune(list, keep) {
    for (const row of [...$(list).children]) if (row.id !== keep) row.remove();
  }

  // ── the ring ────────────────────────────────────────────────────────────────────────────────
  function ring(on, now) {
    window.PatchbaySound.ring(on && leads);
    if (!on) {
      if (document.title.startsWith("☎")) document.title = title;
      note?.close();
      note = null;
      return;
    }
    if (now.attempt === before.attempt && before.stage === "ringing") return;
    if (leads && document.hidden && window.Notification?.permission === "granted") {
      note = new Notification(interpolate(gettext("A caller for %(department)s"), now, true), { body: gettext("Accept or decline on your desk."), tag: now.attempt });
      note.addEventListener("click", () => { window.focus(); note?.close(); });
    }
  }

  // One window rings; when it is closed, the next does. A browser lets none sound in which nobody has clicked or
  // typed: the one in which somebody does takes over.
  function lead(now) {
    leads = now;
    windowWords();
    if (before.stage) look();
  }
  function stand(how = {}) {
    if (!navigator.locks) return lead(true);
    const held = () => {
      lead(true);
      return new Promise(() => {});
    };
    navigator.locks.request("patchbay-desk-rings", how, held).catch((error) => {
      if (error.name !== "AbortError") return;
      lead(false); // taken over by another window
      stand();
    });
  }

  // ── this window ─────────────────────────────────────────────────────────────────────────────
  function windowWords() {
    const audible = leads && window.PatchbaySound.audible();
    $("desk-bell").hidden = !leads || audible;
    $("desk-bell-words").textContent = !leads ? gettext("Another window of yours rings.")
      : audible ? gettext("A call rings in this window.") : gettext("This window stays silent until you click in it.");
    $("desk-notify-row").hidden = window.Notification?.permission !== "default";
  }

  async function soundWords() {
    const awaited = going;
    going = false;
    const ready = await window.PatchbaySound.ready();
    desk.dataset.liveId = ready ? "mic" : "";
    document.dispatchEvent(new CustomEvent("patchbay:views"));
    if (ready && awaited) $("desk-available")?.click();
    $("desk-sound-words").textContent = ready ? gettext("Your audio is checked: calls ring here while this desk is open.")
      : desk.dataset.byPhone ? gettext("Your audio was not checked in this browser: callers ring your phone.")
        : gettext("Your audio was not checked in this browser: nobody can ring you yet.");
  }

  // Who is to be rung here checks their audio before they are first available; whoever has a phone is asked once.
  const ASKED = "patchbay-desk-asked";
  let asked = desk.dataset.byPhone && localStorage.getItem(ASKED);
  document.body.addEventListener("htmx:confirm", (event) => {
    const ready = desk.dataset.liveId === "mic" || !desk.dataset.withBrowser;
    if (event.target.id !== "desk-available" || ready || asked) return;
    event.preventDefault();
    localStorage.setItem(ASKED, asked = "yes");
    $("desk-check").click();
    going = true;
    Patchbay.say(gettext("Check your audio first, so that a caller can ring here: then you are available."));
  });

  $("desk-bell").addEventListener("click", () => window.PatchbaySound.unlock().then(windowWords));
  for (const gesture of ["pointerdown", "keydown"]) {
    addEventListener(gesture, () => window.PatchbaySound.unlock().then(() => leads ? windowWords() : stand({ steal: true })), { once: true });
  }
  $("desk-notify").addEventListener("click", () => Notification.requestPermission().then(windowWords));
  document.addEventListener("patchbay:sound", soundWords);
  $("panel").addEventListener("close", () => (going = false));

  // ── clocks ──────────────────────────────────────────────────────────────────────────────────
  setInterval(() => {
    const now = Patchbay.now(), shown = $("desk-now").dataset;
    const left = desk.querySelector(".desk-ring");
    if (left) {
      const { from, until } = left.dataset;
      const share = Math.max(0, Math.min(1, (until - now) / (until - from)));
      left.querySelector(".left").style.strokeDashoffset = String(100 * (1 - share));
    }
    if (shown.stage === "ringing") {
      const words = `☎ ${shown.department}`;
      document.title = Math.floor(now / 1000) % 2 ? words : `☎ · ${title}`;
    }
    if (shown.refresh && now > Number(shown.refresh) && refreshed !== shown.refresh) {
      refreshed = shown.refresh; // a wrap-up is over, an absence: nobody sends word of that
      document.dispatchEvent(new CustomEvent("patchbay:resync"));
    }
  }, 250);

  // ── keys ────────────────────────────────────────────────────────────────────────────────────
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || event.repeat || $("panel").open) return;
    const field = event.target.closest?.("input:not([type=radio]), textarea, select");
    if (event.key !== "Enter") return;
    const form = desk.querySelector(".desk-note");
    const busy = event.target.closest?.("button, a, summary") || (field && !form?.contains(field)) || event.shiftKey;
    if ($("desk-now").dataset.stage !== "after" || !form || busy) return;
    event.preventDefault();
    form.requestSubmit();
  });

  // ── what is sent ────────────────────────────────────────────────────────────────────────────
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (!desk.contains(event.detail.elt)) return;
    event.detail.parameters.tab = tab;
    if (event.detail.elt.id === "desk-question") event.detail.parameters.key = Patchbay.uuid();
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const { elt, xhr } = event.detail;
    const successful = xhr.status >= 200 && xhr.status < 300; // a refusal is no error to htmx
    if (elt.id === "desk-question" && successful) elt.reset();
    if (!successful || !["desk-accept", "desk-listen"].includes(elt.id)) return;
    const now = $("desk-now").dataset; // at once: the page itself says so in a moment
    if (now.way === "here" && !now.tab) {
      $("desk-now").dataset.tab = tab;
      $("desk-now").dataset.room = "consultation";
      look();
    }
  });

  let keeping = 0;
  desk.addEventListener("input", (event) => {
    const area = event.target;
    if (!area.dataset?.keep) return;
    area.form.dataset.version = String(TYPED);
    clearTimeout(keeping);
    keeping = setTimeout(() => keep(area), 700);
  });

  async function keep(area) {
    const words = area.form.querySelector("[data-kept]");
    try {
      const answer = await Patchbay.post(area.dataset.keep, { note: area.value });
      words.textContent = answer.ok ? gettext("Kept") : gettext("Not kept: it is tried again with your next word.");
    } catch {
      words.textContent = gettext("Not kept: the console does not answer. It is tried again.");
      keeping = setTimeout(() => area.isConnected && keep(area), 2000);
    }
  }

  identify().then(() => {
    new MutationObserver(look).observe(desk, { childList: true });
    look();
    stand();
  });
  windowWords();
  soundWords();
})();
