// Speaks a text as callers hear it: of a form's field as it stands, saved or not. One at a time; once more stops it.
(() => {
  "use strict";

  const player = new Audio();
  let running = null; // { part, text, stop }
  let kept = { text: null, url: "" }; // the newest sound

  const button = (part) => part.querySelector("button");
  const textOf = (part) => {
    const of = document.getElementById(button(part).dataset.of) || part.previousElementSibling;
    return (of.value ?? of.textContent).trim();
  };

  function show(part, speaks, told) {
    const pressed = button(part), { what } = pressed.dataset;
    part.querySelector("[data-word]").textContent = speaks ? gettext("Stop") : gettext("Listen");
    const words = speaks ? gettext("Stop speaking %(what)s") : gettext("Listen to %(what)s");
    pressed.setAttribute("aria-label", interpolate(words, { what }, true));
    part.querySelector("[role=status]").textContent = told;
  }

  function stop(told = "") {
    if (!running) return;
    running.gone.abort();
    player.pause();
    show(running.part, false, told);
    running = null;
  }

  /** The address of the sound; raises the words of whoever will not make it. */
  async function soundOf(part, text, gone) {
    if (kept.text === text) return kept.url;
    const body = new FormData();
    body.set("text", text);
    const headers = { "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value };
    const answer = await fetch(button(part).dataset.url, { method: "POST", body, headers, signal: gone });
    const sound = answer.headers.get("Content-Type") === "audio/wav";
    if (!sound) throw answer.status === 422 ? await answer.text() : gettext("Nothing was spoken: reload the page, then try again.");
    URL.revokeObjectURL(kept.url);
    kept = { text, url: URL.createObjectURL(await answer.blob()) };
    return kept.url;
  }

  async function speak(part) {
    const mine = (running = { part, gone: new AbortController() });
    show(part, true, gettext("The voice is being asked…"));
    let told = gettext("The console did not answer, so nothing was spoken. Try again.");
    try {
      player.src = await soundOf(part, textOf(part), mine.gone.signal);
      told = gettext("The browser did not let it be heard. Press Listen once more.");
      if (running !== mine) return;
      await player.play();
      if (running === mine) show(part, true, gettext("Speaking."));
    } catch (error) {
      if (running === mine) stop(typeof error === "string" ? error : told);
    }
  }

  player.addEventListener("ended", () => stop(gettext("Spoken to the end.")));
  document.addEventListener("htmx:afterSwap", () => !running?.part.isConnected && stop()); // its text is another now
  document.addEventListener("click", (event) => {
    const part = event.target.closest("[data-listen] button")?.closest("[data-listen]");
    if (!part) return;
    const again = running?.part === part;
    stop();
    if (!again) speak(part);
  });
})();
