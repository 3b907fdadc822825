// The sounds of a desk: the check of microphone and ears, remembered by this browser, and the ring.
(() => {
  "use strict";

  const $ = (id) => document.getElementById(id);
  const KEPT = "patchbay-desk-sound";
  const TONE_HZ = [440, 480];
  let context = null, ringing = 0, check = null;

  // ── what is known of this browser ───────────────────────────────────────────────────────────
  const kept = () => JSON.parse(localStorage.getItem(KEPT) || "null");
  const able = () => window.isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia);

  /** Whether a call can be taken here: checked once, and the microphone may be used without asking. */
  async function ready() {
    if (!kept() || !able()) return false;
    try {
      return (await navigator.permissions.query({ name: "microphone" })).state === "granted";
    } catch {
      return true; // a browser that does not tell
    }
  }

  const changed = () => document.dispatchEvent(new CustomEvent("patchbay:sound"));

  function forget() {
    localStorage.removeItem(KEPT);
    changed();
  }

  // ── the ring ────────────────────────────────────────────────────────────────────────────────
  function audio() {
    context ??= new AudioContext();
    if (context.state === "suspended") context.resume();
    return context;
  }

  function tone(seconds) {
    const out = audio(), gain = out.createGain();
    gain.gain.setValueAtTime(0, out.currentTime);
    gain.gain.linearRampToValueAtTime(.12, out.currentTime + .03);
    gain.gain.setValueAtTime(.12, out.currentTime + seconds - .06);
    gain.gain.linearRampToValueAtTime(0, out.currentTime + seconds);
    gain.connect(out.destination);
    for (const hz of TONE_HZ) {
      const voice = out.createOscillator();
      voice.frequency.value = hz;
      voice.connect(gain);
      voice.start();
      voice.stop(out.currentTime + seconds);
    }
  }

  function ring(on) {
    if (on === Boolean(ringing)) return;
    clearInterval(ringing);
    ringing = 0;
    if (!on) return;
    const twice = () => { tone(.4); setTimeout(() => ringing && tone(.4), 600); };
    ringing = setInterval(twice, 3000);
    twice();
  }

  // ── the check ───────────────────────────────────────────────────────────────────────────────
  class Check {
    constructor() {
      this.done = { level: false, tone: false, self: false };
      $("sound-mic").addEventListener("change", () => this.open($("sound-mic").value));
      $("sound-tone").addEventListener("click", () => { tone(1); this.did("tone"); });
      $("sound-record").addEventListener("click", () => this.record());
      $("sound-good").addEventListener("click", () => this.good());
      this.open(kept()?.microphone || "");
    }

    async open(device) {
      this.close();
      if (!able()) return this.problem(gettext("A browser gives its microphone only over HTTPS or on this machine itself. Open the console over HTTPS; until then callers ring your phone."));
      try {
        this.stream = await navigator.mediaDevices.getUserMedia({ audio: device ? { deviceId: { exact: device } } : true });
      } catch (error) {
        if (device && error.name === "OverconstrainedError") return this.open("");
        return this.problem(gettext("The browser did not give its microphone. Allow it in the address bar, then open this check again; until then callers ring your phone."));
      }
      $("sound-problem").hidden = true;
      await this.list();
      this.measure();
    }

    problem(words) {
      $("sound-problem").textContent = words;
      $("sound-problem").hidden = false;
    }

    async list() {
      const inputs = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "audioinput");
      const now = this.stream.getAudioTracks()[0]?.getSettings().deviceId;
      $("sound-mic").replaceChildren(...inputs.map((one, i) => new Option(one.label || interpolate(gettext("Microphone %(number)s"), { number: i + 1 }, true), one.deviceId, false, one.deviceId === now)));
    }

    measure() {
      const ears = audio().createAnalyser(), samples = new Float32Array(ears.fftSize);
      audio().createMediaStreamSource(this.stream).connect(ears);
      this.timer = setInterval(() => {
        if (!$("sound-meter")) return this.close();
        ears.getFloatTimeDomainData(samples);
        const level = Math.min(1, Math.max(...samples.map(Math.abs)) * 2.5);
        $("sound-meter").firstElementChild.style.width = `${Math.round(level * 100)}%`;
        $("sound-meter").setAttribute("aria-valuenow", String(Math.round(level * 100)));
        if (level > .1) this.did("level");
      }, 100);
    }

    async record() {
      if (!this.stream) return;
      const words = $("sound-record").querySelector("span"), parts = [];
      const recorder = new MediaRecorder(this.stream);
      recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
      recorder.addEventListener("stop", () => {
        words.textContent = gettext("Playing it to you …");
        const player = new Audio(URL.createObjectURL(new Blob(parts, { type: recorder.mimeType })));
        const ended = () => {
          URL.revokeObjectURL(player.src);
          words.textContent = gettext("Record two seconds again");
          this.did("self");
        };
        player.addEventListener("ended", ended);
        player.play().catch(ended);
      });
      words.textContent = gettext("Recording: say something …");
      recorder.start();
      setTimeout(() => recorder.state === "recording" && recorder.stop(), 2000);
    }

    did(what) {
      if (this.done[what]) return;
      this.done[what] = true;
      if (!Object.values(this.done).every(Boolean) || !$("sound-good")) return;
      $("sound-good").disabled = false;
      $("sound-done").textContent = gettext("If you heard the tone and yourself, this browser is ready.");
    }

    good() {
      localStorage.setItem(KEPT, JSON.stringify({ microphone: $("sound-mic").value, at: Date.now() }));
      this.close();
      $("panel").close();
      Patchbay.notice("done", gettext("This browser can take calls now: they ring here while the desk is open."));
      changed();
    }

    close() {
      clearInterval(this.timer);
      this.stream?.getTracks().forEach((track) => track.stop());
      this.stream = null;
    }
  }

  document.body.addEventListener("htmx:afterSwap", () => {
    if ($("sound-check") && !$("sound-check").dataset.begun) {
      $("sound-check").dataset.begun = "1";
      check = new Check();
    }
  });
  $("panel").addEventListener("close", () => { check?.close(); check = null; });

  window.PatchbaySound = {
    ready, forget, ring,
    microphone: () => kept()?.microphone || "",
    /** Whether a ring would be heard: a browser is silent until somebody has clicked in the page. */
    audible: () => audio().state === "running",
    unlock: () => audio().resume(),
  };
})();
