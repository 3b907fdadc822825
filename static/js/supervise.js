// A supervisor in a call: this browser joins its room to listen, whisper, join in or take over.
// The buttons are on the call's side, which is swapped live; what goes on is in #supervising, which stays.
(() => {
  "use strict";

  const dock = document.getElementById("supervising");
  if (!dock) return;
  const part = (name) => dock.querySelector(`[data-${name}]`);
  const BEAT_MS = 2000; // "I am there": a caller who was taken over is not left alone with a dead browser
  const AGAIN_MS = [200, 400, 700, 1000];
  const GIVE_UP_MS = 20000;
  const ANSWER_MS = 5000; // for the console's answer to a click: who waits longer no longer means it
  const DEVICES = "patchbay-devices";

  let now = null; // {place, room, mic}: what goes on; null: nothing
  let busy = false;

  // ── the console ─────────────────────────────────────────────────────────────────────────────
  const { post, uuid, refusal } = Patchbay;
  class Told extends Error {} // words of the console's, for the person
  const soon = () => ({ signal: AbortSignal.timeout(ANSWER_MS) });
  const why = (error) => error.name === "TimeoutError" ? gettext("the console did not answer in time") : error.message;

  async function answer(response) {
    if (response.ok) return response.json();
    const words = refusal(response);
    if (words) throw new Told(words);
    if (response.status === 403) throw new Told(gettext("Your account may not do that. Nothing was changed."));
    if (response.status === 404) throw new Told(gettext("That call is not there any more, or belongs to another department."));
    throw new Error(interpolate(gettext("the console answered %(status)s"), { status: response.status }, true));
  }

  let client = null;
  const livekit = () => (client ||= new Promise((done, failed) => {
    if (window.LivekitClient) return done(window.LivekitClient);
    const script = document.createElement("script");
    script.src = dock.dataset.livekit;
    script.onload = () => done(window.LivekitClient);
    script.onerror = () => {
      client = null;
      failed(new Error(gettext("its sound program could not be loaded")));
    };
    document.head.append(script);
  }));
  (window.requestIdleCallback || setTimeout)(() => livekit().catch(() => {})); // so that sound comes within a second

  // ── beginning ───────────────────────────────────────────────────────────────────────────────
  async function start({ supervise: mode, side, url }) {
    if (busy) return;
    if (now?.place.mode === "take_over") {
      Patchbay.notice("refused", gettext("You are talking to a caller. Give them back first (G)."));
      return;
    }
    if (document.body.classList.contains("is-offline")) {
      Patchbay.notice("refused", gettext("The console cannot be reached, so you cannot come into a call now. Calls go on; try again when the mark says live."));
      return;
    }
    busy = true;
    let mic = null, mine = null;
    try {
      const LK = await livekit();
      mic = mode === "listen" ? null : await microphone(LK);
      const place = await answer(await post(url, { mode, side, key: uuid() }, soon()));
      await end({ stop: true });
      mine = now = { place, room: null, mic };
      show();
      await connect(mine);
      if (mine === now) Patchbay.say(`${place.title}. ${place.heard_by}`);
    } catch (error) {
      const wanted = !mine || mine === now; // else they have stopped it themselves meanwhile
      if (mine && wanted) await end({ stop: true });
      if (!mine) mic?.stop(); // what went on before goes on
      if (wanted) Patchbay.notice(error instanceof Told ? "refused" : "failed", error instanceof Told
        ? error.message : interpolate(gettext("You are not in the call: %(why)s. The call goes on as before; try again."), { why: why(error) }, true));
    }
    busy = false;
  }

  /** Asked for before anything is begun: nobody is taken over by a browser that cannot speak. */
  async function microphone(LK) {
    if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
      throw new Told(gettext("A browser gives its microphone only over HTTPS or on this machine itself. Open the console over HTTPS to speak; you can listen here."));
    }
    try {
      return await LK.createLocalAudioTrack({ deviceId: chosen("audioinput") || undefined });
    } catch {
      throw new Told(gettext("The browser did not give its microphone, so nobody would hear you. Nothing was changed: allow it for this page, then try again."));
    }
  }

  async function connect(mine) {
    const LK = await livekit();
    const { place } = mine;
    const room = (mine.room = new LK.Room({ adaptiveStream: false, dynacast: false }));
    hear(LK, mine, room);
    await room.connect(place.url, place.token);
    if (mine !== now) return room.disconnect();
    if (mine.mic) {
      if (place.only_to) {
        const may = place.only_to.map((one) => ({ participantIdentity: one, allowAll: true }));
        room.localParticipant.setTrackSubscriptionPermissions(false, may);
      }
      await room.localParticipant.publishTrack(mine.mic, { source: LK.Track.Source.Microphone, dtx: false });
    }
    await room.startAudio().catch(() => {});
    const output = chosen("audiooutput");
    if (output) await room.switchActiveDevice("audiooutput", output).catch(() => {});
    state("merged", "plug-connected", gettext("Connected"));
    devices(LK);
  }

  function hear(LK, mine, room) {
    room.on(LK.RoomEvent.TrackSubscribed, (track) => {
      if (track.kind === LK.Track.Kind.Audio) part("sound").append(track.attach());
    });
    room.on(LK.RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((node) => node.remove()));
    room.on(LK.RoomEvent.Reconnecting, () => state("hold", "plug-connected-x", gettext("Connection lost, trying again")));
    room.on(LK.RoomEvent.Reconnected, () => state("merged", "plug-connected", gettext("Connected")));
    room.on(LK.RoomEvent.Disconnected, (reason) => {
      if (mine === now && room === mine.room && reason !== LK.DisconnectReason.CLIENT_INITIATED) follow(mine);
    });
  }

  // ── following: a connection that broke, or a manager who went to another room ───────────────
  async function follow(mine) {
    if (mine.following || mine.leaving) return;
    mine.following = true;
    const until = performance.now() + GIVE_UP_MS;
    state("hold", "plug-connected-x", gettext("Connecting again"));
    for (let tries = 0; mine === now; tries++) {
      try {
        const place = await answer(await post(mine.place.renew));
        const before = mine.room;
        mine.room = null;
        await before?.disconnect(false);
        part("sound").replaceChildren();
        mine.place = place;
        await connect(mine);
        show();
        break;
      } catch (error) {
        if (mine !== now) return;
        if (error instanceof Told || performance.now() > until) {
          await end({ stop: true });
          Patchbay.notice(error instanceof Told ? "refused" : "failed", error instanceof Told
            ? error.message : gettext("Your connection is lost, and you are no longer in the call. If you had taken it over, the AI has the caller again."));
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)]));
      }
    }
    mine.following = false;
  }

  /** Whether we are to be elsewhere, and who hears us now. */
  function heed({ room, heard }) {
    if (!now?.room) return;
    if (room !== now.place.room) follow(now);
    if (heard !== now.place.heard_by) {
      now.place.heard_by = heard;
      show();
      Patchbay.say(heard);
    }
  }

  /** At once where the page shows who is in the call; where it does not, the next beat brings it. */
  function look() {
    const row = now && document.querySelector(`[data-grant="${now.place.grant}"]`);
    if (row) heed(row.dataset);
  }
  new MutationObserver(look).observe(document.getElementById("main"), { childList: true, subtree: true });

  // ── ending ──────────────────────────────────────────────────────────────────────────────────
  async function end({ stop, leaving = false }) {
    const mine = now;
    now = null;
    if (!mine) return;
    const told = stop ? post(mine.place.stop, {}, { keepalive: leaving, ...soon() }).catch(() => {}) : null;
    mine.room?.disconnect();
    mine.mic?.stop();
    part("sound").replaceChildren();
    dock.hidden = true;
    document.body.classList.remove("is-supervising");
    await told;
  }

  // Whoever speaks is asked first: the page takes their voice along, and a caller who was taken over is with the AI.
  addEventListener("beforeunload", (event) => now?.mic && event.preventDefault());
  addEventListener("pagehide", () => end({ stop: true, leaving: true }));

  setInterval(async () => {
    const mine = now;
    if (!mine?.room) return;
    const response = await post(mine.place.seen, {}, soon()).catch(() => null);
    if (mine !== now || mine.leaving) return;
    if (response?.status === 410) follow(mine); // which says why
    else if (response?.ok) heed(await response.json());
  }, BEAT_MS);

  // ── what is shown ───────────────────────────────────────────────────────────────────────────
  function state(role, icon, words) {
    const badge = part("state");
    badge.className = `state state-${role}`;
    badge.querySelector("i").className = `ti ti-${icon}`;
    badge.querySelector("span").textContent = words;
  }

  function show() {
    const { place, mic } = now;
    dock.hidden = false;
    document.body.classList.add("is-supervising");
    part("title").textContent = place.title;
    if (location.pathname === place.page) part("title").removeAttribute("href");
    else part("title").href = place.page;
    part("heard").textContent = mic?.isMuted ? gettext("You are muted: nobody hears you.") : place.heard_by;
    const took = place.mode === "take_over";
    part("back").hidden = !took;
    part("stop").hidden = took;
    part("mute").hidden = !place.speaks;
    part("mute").setAttribute("aria-pressed", String(Boolean(mic?.isMuted)));
    part("mute").querySelector("span").textContent = mic?.isMuted ? gettext("Unmute") : gettext("Mute");
    part("mute").querySelector("i").className = `ti ti-microphone${mic?.isMuted ? "-off" : ""}`;
    if (!now.room) state("ai", "plug-connected", gettext("Connecting"));
  }

  const CALLED = [["support", gettext("AI")], ["agent-", gettext("AI")], ["manager-", gettext("Manager")], ["bridge-", gettext("Manager")], ["transfer-", gettext("Transfer agent")], ["supervisor-", gettext("Supervisor")]];
  const calledOf = (identity) => (CALLED.find(([head]) => identity.startsWith(head)) || ["", gettext("Caller")])[1];
  const isMuted = (one) => [...one.trackPublications.values()].some((track) => track.source === "microphone" && track.isMuted);

  /** Everybody else in the room: how loud they are, and who has muted themselves. */
  function people() {
    const list = part("people");
    const there = now?.room ? [...now.room.remoteParticipants.values()] : [];
    const state = there.map((one) => `${one.identity} ${isMuted(one)}`).join();
    if (list.dataset.there !== state) {
      list.dataset.there = state;
      list.replaceChildren(...there.map((one) => {
        const row = part("person").content.firstElementChild.cloneNode(true);
        row.querySelector("[data-name]").textContent = calledOf(one.identity);
        row.querySelector("[data-is-muted]").hidden = !isMuted(one);
        return row;
      }));
    }
    there.forEach((one, nth) => {
      list.children[nth].querySelector(".meter i").style.width = `${Math.round(Math.min(1, one.audioLevel * 2.2) * 100)}%`;
    });
  }

  setInterval(() => {
    people();
    if (!now?.room) return;
    const others = [...now.room.remoteParticipants.values()].map((one) => one.audioLevel);
    const mine = now.mic && !now.mic.isMuted ? now.room.localParticipant.audioLevel : 0;
    const level = Math.min(1, Math.max(mine, ...others, 0) * 2.2);
    part("level").style.width = `${Math.round(level * 100)}%`;
  }, 120);

  part("mute").addEventListener("click", async () => {
    if (!now?.mic) return;
    await (now.mic.isMuted ? now.mic.unmute() : now.mic.mute());
    show();
    Patchbay.say(part("heard").textContent);
  });
  part("stop").addEventListener("click", async () => {
    await end({ stop: true });
    Patchbay.say(gettext("You are no longer in the call."));
  });
  // They leave when the AI has the caller: a console that does not answer leaves nobody alone on the line.
  part("back").addEventListener("click", async () => {
    const mine = now;
    if (!mine || mine.leaving) return;
    mine.leaving = true;
    const response = await post(mine.place.stop, {}, soon()).catch(() => null);
    if (mine !== now) return;
    if (response?.ok) {
      await end({ stop: false });
      Patchbay.say(gettext("The AI has the caller again."));
      Patchbay.notice("done", gettext("The AI has the caller again, and knows what was said."));
      return;
    }
    mine.leaving = false;
    Patchbay.notice("failed", gettext("The console did not answer, so the caller is still with you and hears you. Give them back again when you are ready (G)."));
    if (mine.room?.state === "disconnected") follow(mine); // it was done, and only the answer was lost
  });

  // ── devices ─────────────────────────────────────────────────────────────────────────────────
  const kept = () => JSON.parse(localStorage.getItem(DEVICES) || "{}");
  const chosen = (kind) => kept()[kind] || "";

  async function devices(LK) {
    const plays = "setSinkId" in HTMLMediaElement.prototype;
    part("no-output").hidden = plays;
    for (const kind of ["audioinput", "audiooutput"]) {
      const wanted = kind === "audioinput" ? Boolean(now?.mic) : plays;
      const found = wanted ? await LK.Room.getLocalDevices(kind, false).catch(() => []) : [];
      const select = dock.querySelector(`[data-device="${kind}"]`);
      const options = found.filter((one) => one.deviceId).map((one, nth) => new Option(one.label || interpolate(gettext("Device %(number)s"), { number: nth + 1 }, true), one.deviceId));
      select.replaceChildren(...options);
      if (options.some((option) => option.value === chosen(kind))) select.value = chosen(kind);
      dock.querySelector(`[data-for="${kind}"]`).hidden = !options.length;
    }
  }

  dock.addEventListener("change", async (event) => {
    const kind = event.target.dataset.device;
    if (!kind || !now?.room) return;
    localStorage.setItem(DEVICES, JSON.stringify({ ...kept(), [kind]: event.target.value }));
    await now.room.switchActiveDevice(kind, event.target.value).catch(() =>
      Patchbay.notice("refused", gettext("That device cannot be used. You go on with the one before.")));
  });
  navigator.mediaDevices?.addEventListener("devicechange", async () => now?.room && devices(await livekit()));

  // ── buttons; `keys.js` presses them ────────────────────────────────────────────────────────────────────────
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-supervise]");
    if (button) start(button.dataset);
  });
})();
