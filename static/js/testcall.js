// The test call, and the rehearsal with a manager: this browser joins a room as the caller, with its microphone or
// with typed lines. In a rehearsal the manager is rung as soon as the console knows of the call.
(() => {
  "use strict";

  const root = document.getElementById("test-call");
  const $ = (id) => document.getElementById(id);
  const { Room, RoomEvent, Track, DisconnectReason } = window.LivekitClient;
  let room = null, call = null, watch = 0;

  function state(role, icon, words) {
    const badge = $("test-state");
    badge.className = `state state-${role}`;
    badge.innerHTML = `<i class="ti ti-${icon}" aria-hidden="true"></i><span></span>`;
    badge.querySelector("span").textContent = words;
  }

  if (!$("with-mic")) return; // nobody can be rung now, and the page says why

  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
    $("with-mic").disabled = true;
    $("why-no-mic").hidden = false;
  }

  async function start(withMic) {
    $("before").hidden = true;
    $("during").hidden = false;
    state("ai", "phone-calling", gettext("Connecting …"));
    try {
      const answer = await Patchbay.post(root.dataset.tokenUrl, { department: $("department")?.value ?? "" });
      if (!answer.ok) throw new Error(Patchbay.refusal(answer) || interpolate(gettext("the console answered %(status)s"), { status: answer.status }, true));
      const { url, token, room: name } = await answer.json();
      room = new Room({ adaptiveStream: false, dynacast: false });
      listen(room);
      await room.connect(url, token);
      if (withMic) await microphone();
      else await room.startAudio().catch(() => {});
      state("ai", "phone", withMic ? gettext("Connected") : gettext("Connected, typed lines"));
      $("typed").focus();
      find(name);
    } catch (error) {
      over(interpolate(gettext("The call could not be placed: %(why)s. Check Status, then try again."), { why: error.message }, true), "failed");
    }
  }

  async function microphone() {
    try {
      await room.localParticipant.setMicrophoneEnabled(true);
      $("mute").hidden = false;
      meter();
    } catch {
      Patchbay.notice("refused", gettext("The browser did not give its microphone. You are connected: type what the caller says."));
    }
  }

  function listen(mine) {
    mine.on(RoomEvent.TrackSubscribed, (track) => {
      if (track.kind === Track.Kind.Audio) document.body.append(track.attach());
    });
    mine.on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((node) => node.remove()));
    mine.on(RoomEvent.Reconnecting, () => state("hold", "plug-connected-x", gettext("Connection lost, trying again")));
    mine.on(RoomEvent.Reconnected, () => state("ai", "phone", gettext("Connected")));
    mine.on(RoomEvent.Disconnected, (reason) => {
      if (mine !== room) return;
      over(reason === DisconnectReason.CLIENT_INITIATED ? gettext("You hung up.") : gettext("The call has ended."), "done");
    });
  }

  function meter() {
    const bar = $("meter").firstElementChild;
    clearInterval(watch);
    watch = setInterval(() => {
      const level = room ? Math.min(1, room.localParticipant.audioLevel * 2.2) : 0;
      bar.style.width = `${Math.round(level * 100)}%`;
    }, 120);
  }

  async function find(name) {
    for (let tries = 0; tries < 60 && room && !call; tries++) {
      const answer = await fetch(`${root.dataset.callUrl}?room=${encodeURIComponent(name)}`);
      const found = answer.ok ? await answer.json() : {};
      if (found.call) {
        call = found.call;
        if (root.dataset.ringUrl) ring();
        htmx.ajax("GET", found.page, { target: "#test-pane", swap: "innerHTML" });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    if (room && !call) Patchbay.notice("failed", gettext("The console has not heard of this call. See Status: webhooks, agents."));
  }

  async function ring() {
    const answer = await Patchbay.post(root.dataset.ringUrl, { call, key: Patchbay.uuid() });
    if (!answer.ok) Patchbay.notice("refused", Patchbay.refusal(answer) || gettext("Nobody was rung. Hang up and begin again."));
  }

  function over(words, kind) {
    clearInterval(watch);
    room?.disconnect();
    room = null;
    call = null;
    $("before").hidden = false;
    $("during").hidden = true;
    $("mute").hidden = true;
    Patchbay.notice(kind, words);
  }

  $("with-mic").addEventListener("click", () => start(true));
  $("with-lines").addEventListener("click", () => start(false));
  $("hang-up").addEventListener("click", () => (room ? room.disconnect() : over(gettext("You hung up."), "done")));
  $("key-zero").addEventListener("click", () => room?.localParticipant.publishDtmf(0, "0"));
  $("mute").addEventListener("click", async () => {
    const on = !room.localParticipant.isMicrophoneEnabled;
    await room.localParticipant.setMicrophoneEnabled(on);
    $("mute").querySelector("span").textContent = on ? gettext("Mute") : gettext("Unmute");
    $("mute").querySelector("i").className = `ti ti-microphone${on ? "" : "-off"}`;
  });

  $("type-line").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = $("typed").value.trim();
    if (!text) return;
    const answer = await Patchbay.post(root.dataset.lineUrl, { call: call || "", key: Patchbay.uuid(), text });
    if (answer.ok) {
      $("typed").value = "";
      return;
    }
    Patchbay.notice("refused", Patchbay.refusal(answer) || gettext("That line was not heard. Try again."));
  });

  addEventListener("pagehide", () => room?.disconnect());
})();
