// What every page does: one server time, ticking clocks, the theme, the side panel, words after an action.
(() => {
  "use strict";

  const $ = (id) => document.getElementById(id);
  const loaded = { server: Number(document.body.dataset.now) || Date.now(), here: performance.now() };

  const Patchbay = (window.Patchbay = {
    /** The server's time in ms, whatever this machine's clock says. */
    now: () => loaded.server + (performance.now() - loaded.here),
    setNow(server) {
      loaded.server = server;
      loaded.here = performance.now();
    },
    /** crypto.randomUUID exists only in secure contexts. */
    uuid: () => "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) =>
      (Number(c) ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (Number(c) / 4)))).toString(16)),
    /** An action that is no button of htmx's; the answer as `fetch` has it, which `more` may tell more. */
    post: (url, data = {}, more = {}) => fetch(url, {
      method: "POST",
      headers: { "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"], "HX-Request": "true" },
      body: new URLSearchParams(data),
      ...more,
    }),
    /** The words of an answer that refuses. */
    refusal: (answer) => JSON.parse(answer.headers.get("HX-Trigger") || "{}").notice?.text,
    say(text) {
      $("said").textContent = "";
      requestAnimationFrame(() => ($("said").textContent = text));
    },
    notice(kind, text) {
      const icons = { done: "check", refused: "info-circle", failed: "alert-triangle" };
      const line = document.createElement("div");
      line.className = `notice-line ${kind}`;
      line.innerHTML = `<i class="ti ti-${icons[kind] || "info-circle"}" aria-hidden="true"></i><p></p><button type="button" class="icon-button"><i class="ti ti-x" aria-hidden="true"></i></button>`;
      line.querySelector("p").textContent = text;
      line.querySelector("button").setAttribute("aria-label", gettext("Close this message"));
      line.querySelector("button").addEventListener("click", () => line.remove());
      $("notice").replaceChildren(line);
      if (kind === "done") setTimeout(() => line.remove(), 8000);
    },
  });

  // A form whose answer is a file: the page stays, and what tells how far it is looks after it (htmx would stop the
  // form if it listened to it). More than once, for the console may be slow to begin.
  document.addEventListener("submit", (event) => {
    const told = event.target.dataset.tells;
    if (told) for (const seconds of [1, 3, 9]) setTimeout(() => htmx.trigger(told, "sent"), seconds * 1000);
  });

  // ── clocks ──────────────────────────────────────────────────────────────────────────────────
  const two = (n) => String(n).padStart(2, "0");
  function clock(ms) {
    const total = Math.max(0, Math.floor(ms / 1000));
    const [h, m, s] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60];
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  }

  // Moments come in UTC and are shown in this browser's zone, in the formats of `at` (calls/templatetags/console.py).
  const day = { day: "numeric", month: "short" }, minute = { hour: "2-digit", minute: "2-digit" };
  const kinds = {
    time: { ...minute, second: "2-digit" },
    minute,
    day: { ...day, ...minute },
    date: { ...day, year: "numeric" },
    shift: { weekday: "short", ...minute },
    exact: { ...minute, second: "2-digit", fractionalSecondDigits: 3 },
    whole: { ...day, year: "numeric", ...minute, second: "2-digit" },
  };
  const shownIn = Object.fromEntries(Object.entries(kinds).map(([kind, options]) =>
    [kind, new Intl.DateTimeFormat("en-GB", { ...options, hourCycle: "h23" })]));
  const exactly = new Intl.DateTimeFormat("en-GB", { ...kinds.whole, hourCycle: "h23", timeZoneName: "short" });

  function local(node) {
    const moment = new Date(node.dateTime);
    if (Number.isNaN(moment.getTime())) return;
    node.textContent = shownIn[node.dataset.at].format(moment);
    node.title = exactly.format(moment);
    node.dataset.local = "";
  }

  /** Every clock on the page, or in a piece that is about to be put there. */
  function tick(within = document) {
    const now = Patchbay.now();
    for (const node of within.querySelectorAll(".clock")) {
      node.runs ??= { until: Number(node.dataset.until), since: Number(node.dataset.since) }; // hundreds, four times a second
      node.runs.row ??= node.closest("[data-list] > *"); // not before it is on the page
      const { until, since, row } = node.runs;
      if (row?.outOfSight) continue;
      const text = until ? clock(until - now + 999) : since && clock(now - since);
      if (text && node.shows !== text) node.textContent = node.shows = text;
    }
    for (const node of within.querySelectorAll("time[data-at]:not([data-local])")) local(node);
    for (const node of within.querySelectorAll("[data-seconds]")) {
      const text = String(Math.max(0, Math.ceil((Number(node.dataset.seconds) - now) / 1000)));
      if (node.textContent !== text) node.textContent = text;
    }
    for (const lanes of within.querySelectorAll(".lanes[data-growing]")) stretch(lanes, now);
    for (const node of within.querySelectorAll("[data-lookers]")) others(node);
  }

  /** Who else has this open: oneself is no news. One rendering serves everybody, so it is taken out here. */
  function others(node) {
    const names = node.dataset.lookers.split(",").filter((name) => name && name !== document.body.dataset.user);
    const words = ngettext("%(names)s has this open", "%(names)s have this open", names.length);
    const text = names.length ? interpolate(words, { names: names.join(", ") }, true) : "";
    const place = node.querySelector("span");
    if (place.textContent !== text) place.textContent = text;
    node.hidden = !text;
  }

  /** A swimlane that is not over grows: its scale ends at the present moment. */
  function stretch(lanes, now) {
    const start = Number(lanes.dataset.start);
    const length = Math.max(now - start, 10000);
    for (const segment of lanes.querySelectorAll(".seg")) {
      const from = Number(segment.dataset.from);
      const to = segment.dataset.to ? Number(segment.dataset.to) : now;
      const size = Math.max(0, (to - from) / length);
      segment.style.setProperty("--from", (from - start) / length);
      segment.style.setProperty("--size", size);
      segment.classList.toggle("tiny", size < 0.08);
    }
    const end = lanes.querySelector(".axis .end");
    if (end) end.textContent = clock(length);
  }
  tick();
  setInterval(() => tick(), 250);
  // A row that is not painted (`content-visibility`) needs no clock until it is.
  document.addEventListener("contentvisibilityautostatechange", ({ target, skipped }) => {
    target.outOfSight = skipped;
    if (!skipped) tick(target);
  });
  Patchbay.tick = tick;
  /** What was noted of a clock, when it has become another in place (live.js). */
  Patchbay.unshow = (node) => {
    node.runs = node.shows = undefined;
  };

  // ── theme, menu ─────────────────────────────────────────────────────────────────────────────
  const html = document.documentElement;
  function drawTheme() {
    const icon = $("theme")?.querySelector("i");
    if (icon) icon.className = `ti ti-${html.dataset.bsTheme === "dark" ? "sun" : "moon"}`;
  }
  $("theme")?.addEventListener("click", () => {
    html.dataset.bsTheme = html.dataset.bsTheme === "dark" ? "light" : "dark";
    localStorage.setItem("patchbay-theme", html.dataset.bsTheme);
    drawTheme();
  });
  drawTheme();
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  });

  // ── the side panel ──────────────────────────────────────────────────────────────────────────
  const panel = $("panel");
  /** The focus of one that is gone goes to what has its name in that place. */
  Patchbay.refocus = (gone, place) => {
    const name = CSS.escape(gone.id || gone.dataset.focus || "");
    if (name) place.querySelector(`#${name}, [data-focus="${name}"]`)?.focus({ preventScroll: true });
  };
  /** Shows a dialog; who had the focus has it after it, though a live page may have put another in its place. */
  Patchbay.open = (dialog) => {
    const had = document.activeElement, around = had.parentElement?.closest("[id]")?.id;
    dialog.showModal();
    dialog.addEventListener("close", () => {
      if (!had.isConnected) Patchbay.refocus(had, $(around) ?? document);
    }, { once: true });
  };
  // Not before it has settled: until then htmx does not know the form, and ⏎ would send it as a page.
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id !== "panel-body") return;
    if (!panel.open && panel.textContent.trim()) Patchbay.open(panel);
    count(panel.querySelector("textarea[data-words]"));
  });
  panel.addEventListener("close", () => $("panel-body").replaceChildren());
  let pressedOn = null; // words that are marked by dragging end where the hand stops, beside the panel perhaps
  panel.addEventListener("pointerdown", (event) => (pressedOn = event.target));
  panel.addEventListener("click", (event) => {
    if (event.target === panel && pressedOn === panel || event.target.closest("[data-close]")) panel.close();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) panel.querySelector("form")?.requestSubmit();
  });
  panel.addEventListener("input", (event) => count(event.target));

  function count(area) {
    if (!area?.dataset?.words) return;
    const words = area.value.split(/\s+/).filter(Boolean).length;
    const counter = panel.querySelector(".counter");
    counter.textContent = interpolate(gettext("%(count)s of %(most)s words"), { count: words, most: area.dataset.words }, true);
    counter.classList.toggle("over", words > Number(area.dataset.words));
  }

  // ── actions and their answers ───────────────────────────────────────────────────────────────
  document.body.addEventListener("notice", (event) => Patchbay.notice(event.detail.kind, event.detail.text));
  document.body.addEventListener("panel-done", () => panel.open && panel.close());
  // What was refused is over, unless somebody wrote for it: they read why beside their own words.
  document.body.addEventListener("panel-refused", ({ detail }) => {
    if (!panel.open) return;
    const written = [...panel.querySelectorAll("textarea, input")].some((field) => field.value !== field.defaultValue);
    if (!written) return panel.close();
    const line = panel.querySelector(".panel-refusal") || Object.assign(document.createElement("p"), { className: "panel-refusal" });
    line.setAttribute("role", "alert");
    line.textContent = detail.text;
    panel.querySelector(".panel-main").prepend(line);
  });

  // Offline, an action is refused at once: kept for later, it would meet another call than the person saw.
  htmx.config.timeout = 15000; // ms
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (!document.body.classList.contains("is-offline")) return;
    const { verb, elt } = event.detail.requestConfig;
    event.preventDefault();
    if (elt.matches("[hx-trigger^=every]")) return;
    Patchbay.notice("refused", verb === "get"
      ? gettext("The console cannot be reached. This cannot be opened, and nothing is kept for later. Calls go on; try again when the mark says live.")
      : gettext("The console cannot be reached. Nothing was done, and nothing is kept for later. Calls go on; try again when the mark says live."));
  });
  // What a live frame has swapped away meanwhile cannot tell what came of its request: the page does.
  document.body.addEventListener("htmx:beforeRequest", ({ detail: { elt, xhr } }) => xhr.addEventListener("load", () => {
    if (elt.isConnected) return;
    const told = JSON.parse(xhr.getResponseHeader("HX-Trigger") || "{}");
    for (const [name, detail] of Object.entries(told)) htmx.trigger(document.body, name, detail);
    if (xhr.status >= 400 && !told.notice) htmx.trigger(document.body, "htmx:responseError", { xhr });
  }));
  const away = gettext("The console did not answer, so this page does not know whether that was done. Look at the call before you try again.");
  for (const kind of ["htmx:sendError", "htmx:timeout"]) document.body.addEventListener(kind, (event) => {
    const { verb, elt } = event.detail.requestConfig;
    if (verb !== "get") Patchbay.notice("failed", away);
    else if (!elt.matches("[hx-trigger^=every]")) Patchbay.notice("failed", gettext("The console did not answer. Nothing was changed; try again when the mark says live."));
  });
  document.body.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 403) Patchbay.notice("refused", gettext("Your account may not do that. Nothing was changed."));
    else if (status === 404) Patchbay.notice("refused", gettext("That is not there any more, or belongs to another department. Nothing was changed."));
    else Patchbay.notice("failed", away);
  });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.responseURL && new URL(event.detail.xhr.responseURL).pathname === "/login") {
      event.detail.shouldSwap = false;
      location.reload(); // the session is over: the page itself asks to log in
    }
  });

  // Enter on a card approves what waits for it, and opens any other.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.classList?.contains("need")) {
      event.target.querySelector("[data-approve], [data-focus='open']")?.click();
    }
  });

  // One click opens the call beside the list where there is room for both.
  document.addEventListener("click", (event) => {
    const strip = event.target.closest("a.strip[data-beside]");
    const pane = $("beside");
    if (!strip || !pane || event.metaKey || event.ctrlKey || event.shiftKey || innerWidth < 1350) return;
    event.preventDefault();
    for (const other of document.querySelectorAll("a.strip[aria-current]")) other.removeAttribute("aria-current");
    strip.setAttribute("aria-current", "true");
    pane.dataset.of = strip.id;
    pane.closest(".board").classList.add("with-call");
    htmx.ajax("GET", strip.dataset.beside, { target: "#beside", swap: "innerHTML" });
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-beside]")) closeBeside();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]") && $("beside")?.childElementCount) closeBeside();
  });
  function closeBeside() {
    const pane = $("beside");
    document.getElementById(pane.dataset.of)?.removeAttribute("aria-current");
    document.getElementById(pane.dataset.of)?.focus();
    pane.replaceChildren();
    pane.closest(".board").classList.remove("with-call");
    document.dispatchEvent(new CustomEvent("patchbay:views"));
  }
})();
