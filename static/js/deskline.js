// The manager's voice: this browser in the consultation, and from there in the caller's room. The page says where it
// belongs (`want`); it is in the next room before it leaves the one before.
(() => {
  "use strict";

  const $ = (id) => document.getElementById(id);
  const { Room, RoomEvent, Track, DisconnectReason } = window.LivekitClient;
  // After these nobody wants us there; after others the way there is tried again.
  const FINAL = new Set([DisconnectReason.DUPLICATE_IDENTITY, DisconnectReason.PARTICIPANT_REMOVED, DisconnectReason.ROOM_DELETED]);
  let room = null, where = "", going = false, wanted = null, over = "", level = 0;

  /** {attempt, where: "consultation" | "call", url, tab}, or null: nowhere. */
  async function want(next) {
    wanted = next && next.attempt !== over ? next : null;
    if (going) return;
    if (!wanted) return leave();
    if (room && where === `${wanted.attempt}/${wanted.where}`) return;
    going = true;
    const mine = wanted;
    try {
      await join(mine);
    } catch (error) {
      failed(mine, error);
    }
    going = false;
    if (wanted !== mine) want(wanted);
  }

  async function join(to) {
    say("brief", "plug-connected", room ? gettext("Joining you with the caller …") : gettext("Connecting your microphone …"));
    const answer = await Patchbay.post(to.url, { tab: to.tab });
    if (!answer.ok) throw new Error(Patchbay.refusal(answer) || interpolate(gettext("the console answered %(status)s"), { status: answer.status }, true));
    const { url, token } = await answer.json();
    const fresh = new Room({ adaptiveStream: false, dynacast: false });
    listen(fresh);
    await fresh.connect(url, token);
    try {
      const device = window.PatchbaySound.microphone();
      await fresh.localParticipant.setMicrophoneEnabled(true, device ? { deviceId: device } : undefined);
    } catch (error) {
      await fresh.disconnect();
      throw Object.assign(new Error(gettext("The browser did not give its microphone")), { microphone: true });
    }
    await fresh.startAudio().catch(() => {});
    const before = room;
    [room, where] = [fresh, `${to.attempt}/${to.where}`];
    await muted(before && !before.localParticipant.isMicrophoneEnabled);
    await before?.disconnect();
    say(to.where === "call" ? "merged" : "brief", "microphone", to.where === "call" ? gettext("The caller hears you") : gettext("The transfer agent hears you"));
    meter();
  }

  function failed(to, error) {
    if (wanted !== to) return;
    if (error.microphone) {
      over = to.attempt;
      window.PatchbaySound.forget();
      Patchbay.notice("failed", gettext("The browser did not give its microphone, so you cannot be heard. The caller waits: your phone is rung next, if you have one. Check your audio before the next call."));
      leave();
      return;
    }
    Patchbay.notice("failed", interpolate(gettext("Your microphone could not be connected (%(why)s). The caller waits; it is tried again."), { why: error.message }, true));
    setTimeout(() => wanted === to && want({ ...to }), 1000);
  }

  function listen(mine) {
    mine.on(RoomEvent.TrackSubscribed, (track, publication) => {
      if (publication.source === Track.Source.Microphone) document.body.append(track.attach());
      else publication.setSubscribed(false); // the caller's music on hold is not for us
    });
    mine.on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((node) => node.remove()));
    mine.on(RoomEvent.Reconnecting, () => mine === room && say("hold", "plug-connected-x", gettext("Connection lost, trying again")));
    mine.on(RoomEvent.Reconnected, () => mine === room && say("merged", "microphone", gettext("Connected again")));
    mine.on(RoomEvent.Disconnected, (reason) => {
      if (mine !== room) return;
      if (FINAL.has(reason)) over = where.split("/")[0];
      [room, where] = [null, ""];
      hide();
      if (wanted) setTimeout(() => wanted && want({ ...wanted }), 1000);
    });
  }

  async function leave() {
    const before = room;
    [room, where] = [null, ""];
    hide();
    await before?.disconnect();
  }

  // ── what is shown of it ─────────────────────────────────────────────────────────────────────
  function say(role, icon, words) {
    $("desk-audio").hidden = false;
    const badge = $("desk-audio-state");
    badge.className = `state state-${role}`;
    badge.querySelector("i").className = `ti ti-${icon}`;
    badge.querySelector("span").textContent = words;
  }

  function hide() {
    clearInterval(level);
    $("desk-audio").hidden = true;
  }

  function meter() {
    clearInterval(level);
    level = setInterval(() => {
      const now = room ? Math.min(1, room.localParticipant.audioLevel * 2.2) : 0;
      $("desk-level").style.width = `${Math.round(now * 100)}%`;
    }, 120);
  }

  async function muted(off) {
    await room?.localParticipant.setMicrophoneEnabled(!off);
    $("desk-mute").setAttribute("aria-pressed", String(Boolean(off)));
    $("desk-mute").querySelector("span").textContent = off ? gettext("Unmute") : gettext("Mute");
    $("desk-mute").querySelector("i").className = `ti ti-microphone${off ? "-off" : ""}`;
  }

  $("desk-mute").addEventListener("click", () => room && muted(room.localParticipant.isMicrophoneEnabled));
  $("desk-hang-up").addEventListener("click", () => {
    if (wanted) over = wanted.attempt;
    wanted = null;
    leave();
  });
  addEventListener("pagehide", () => room?.disconnect());
  addEventListener("beforeunload", (event) => room && event.preventDefault());

  window.PatchbayLine = { want };
})();
