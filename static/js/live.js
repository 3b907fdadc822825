// The live page: the load is the truth, the socket only brings what changed since.
// Every element with data-live-view is one subscription. Frames carry pieces of HTML with a row's version:
// an older one is ignored. A gap, a new epoch or a reconnect fetches the page's own snapshot again.
(() => {
  "use strict";

  const RETRY = [150, 400, 900]; // ms; never more than a second
  const SILENT_MS = 6000; // the server says something every 2 s
  const POINTER_MS = 2500; // a pointer that has rested longer does not hold rows still
  const AGAIN_MS = 1000;
  const SHOWN_MS = 50;
  const CONNECT_MS = 2500; // an attempt that nobody answers is given up, or it would outlast the outage;
  const LONGER_MOST = 2; // each next one is given twice the time, so that a slow answer is still an answer
  const LONGEST_MS = 3600000;

  const mark = document.getElementById("link");
  const views = () => [...document.querySelectorAll("[data-live-view]")];
  const positions = new Map(); // view, its id and an audience of it → [epoch, seq]
  let socket = null, tries = 0, timer = 0, heard = 0, downSince = 0, wasOpen = false;

  // ── the connection ──────────────────────────────────────────────────────────────────────────
  function show(state, word) {
    if (mark.dataset.state === state && mark.querySelector(".word").textContent === word) return;
    mark.dataset.state = state;
    mark.querySelector(".word").textContent = word;
  }

  function connect() {
    clearTimeout(timer);
    if (socket && socket.readyState <= WebSocket.OPEN) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const mine = (socket = new WebSocket(`${scheme}://${location.host}/live`));
    heard = performance.now();
    mine.addEventListener("open", () => {
      if (mine !== socket) return;
      subscribe();
      if (wasOpen) resync();
      wasOpen = true;
      tries = 0;
    });
    mine.addEventListener("message", (event) => mine === socket && receive(JSON.parse(event.data)));
    mine.addEventListener("close", (event) => mine === socket && lost(event.code));
  }

  function lost(code) {
    socket = null;
    downSince ||= performance.now();
    if (code === 4401) {
      location.reload(); // logged out
      return;
    }
    if (wasOpen || tries > 1) offline();
    timer = setTimeout(connect, RETRY[Math.min(tries++, RETRY.length - 1)]);
  }

  function offline() {
    show("offline", gettext("offline"));
    mark.title = gettext("This page does not change at the moment. Calls go on; it tries to reconnect every second.");
    document.body.classList.add("is-offline");
  }

  function online() {
    heard = performance.now();
    downSince = 0;
    show("live", gettext("live"));
    mark.title = gettext("Changes appear as they happen.");
    document.body.classList.remove("is-offline");
  }

  addEventListener("online", () => {
    tries = 0;
    if (socket?.readyState === WebSocket.CONNECTING) drop(); // that one was sent into the outage
    connect();
  });
  addEventListener("offline", () => socket ? socket.close() : offline());
  document.addEventListener("visibilitychange", () => !document.hidden && connect());
  setInterval(() => {
    const connecting = CONNECT_MS * 2 ** Math.min(tries, LONGER_MOST);
    const patience = { [WebSocket.OPEN]: SILENT_MS, [WebSocket.CONNECTING]: connecting }[socket?.readyState];
    if (patience && performance.now() - heard > patience) {
      drop();
      lost(0);
    }
  }, 500);

  function drop() {
    const dead = socket;
    socket = null;
    dead.close();
  }

  // ── subscriptions ───────────────────────────────────────────────────────────────────────────
  function subscribe() {
    if (socket?.readyState !== WebSocket.OPEN) return;
    const wanted = views().map((view) => ({ view: view.dataset.liveView, id: view.dataset.liveId || "" }));
    views().forEach(learn);
    socket.send(JSON.stringify({ type: "subscribe", views: wanted }));
    for (const view of views()) if (!view.dataset.livePositions) snapshot(view).catch(() => setTimeout(resync, 1000));
  }

  const place = (view, id, audience) => `${view} ${id} ${audience}`;

  const positionsOf = (view) => JSON.parse(view.dataset.livePositions || "{}");

  function learn(view) {
    const { liveView, liveId = "" } = view.dataset;
    for (const [audience, position] of Object.entries(positionsOf(view))) {
      const here = place(liveView, liveId, audience);
      if (!isOlder(position, positions.get(here))) positions.set(here, position);
    }
  }

  /** Whether a page's position is one that this page has passed; before anything was published it has no epoch. */
  const isOlder = ([epoch, seq], known) => known && (epoch ? epoch === known[0] && seq < known[1] : known[0]);

  function receive(message) {
    online();
    if (message.now) Patchbay.setNow(message.now);
    const here = place(message.view, message.id, message.audience);
    const known = positions.get(here);
    if (message.type === "position") {
      if (known && (known[0] !== message.epoch || known[1] !== message.seq)) resync();
      positions.set(here, [message.epoch, message.seq]);
    } else if (message.type === "pieces") {
      if (known && known[0] === message.epoch && message.seq <= known[1]) return;
      if (known && (known[0] !== message.epoch || message.seq !== known[1] + 1)) resync();
      positions.set(here, [message.epoch, message.seq]);
      for (const came of meanwhile) came.push(message);
      message.pieces.forEach(apply);
      shownSoon();
    } else if (message.type === "summary") {
      for (const came of meanwhile) came.push(message);
      sum(parse(message.html));
    } else if (message.type === "resync") {
      resync();
    } else if (message.type === "banner") {
      banner(message.html);
    }
  }

  /** After every change of the page: whoever counts or filters rows does it again. Its clocks have ticked: `dress`. */
  function shown() {
    document.dispatchEvent(new CustomEvent("patchbay:shown"));
  }

  let shownTimer = 0;
  /** Once for many changes: with hundreds of rows each counting takes a while. */
  function shownSoon() {
    shownTimer ||= setTimeout(() => {
      shownTimer = 0;
      shown();
    }, SHOWN_MS);
  }

  // ── pieces ──────────────────────────────────────────────────────────────────────────────────
  function parse(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    return holder.content;
  }

  function apply(piece) {
    if (!piece.target) {
      resync(); // too much has changed for pieces
      return;
    }
    const old = document.getElementById(piece.target);
    if (!piece.html) {
      if (old) remove(old);
      return;
    }
    const fresh = parse(piece.html).firstElementChild;
    dress(fresh);
    if (old) replace(old, fresh, piece.version);
    else if (piece.list && document.getElementById(piece.list)) insert(document.getElementById(piece.list), fresh);
    // Words of a turn that never came to its end, levels that nobody tells any more.
    if (fresh.dataset.fadesMs) setTimeout(() => fresh.remove(), Number(fresh.dataset.fadesMs));
  }

  /** As it would look by now: clocks have ticked on the page, and a row may be filtered out of it. */
  function dress(fresh) {
    Patchbay.tick(fresh);
    Patchbay.filterRow?.(fresh);
  }

  const keyOf = (list, row) => row.dataset[list.dataset.by || "sort"] || "";

  function replace(old, fresh, version) {
    if (Number(old.dataset.version || 0) > (version ?? Number(fresh.dataset.version || 0))) return;
    const list = old.closest("[data-list]");
    if (list && list !== old.parentElement) return swap(old, fresh);
    for (const keep of ["aria-current"]) {
      if (old.hasAttribute(keep)) fresh.setAttribute(keep, old.getAttribute(keep));
    }
    fresh.classList.toggle("coming", old.classList.contains("coming"));
    const moved = list && keyOf(list, old) !== keyOf(list, fresh);
    swap(old, fresh);
    if (moved) sortSoon(list);
  }

  // A click is lost if what it is on is swapped between down and up: until then it stays.
  let pressed = null;
  const afterClick = [];
  addEventListener("pointerdown", (event) => (pressed = event.target), { capture: true, passive: true });
  for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, () => {
    pressed = null;
    setTimeout(() => afterClick.splice(0).forEach((swapNow) => swapNow()));
  }, { capture: true, passive: true });

  // Rows that are only looked at are changed in place: a browser paints what is new of them, not all of it. What
  // acts is replaced, so that no button under a finger becomes another one.
  function swap(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (pressed && old.contains(pressed)) {
      afterClick.push(() => old.isConnected && swap(old, fresh));
      return;
    }
    const open = new Set([...old.querySelectorAll("details[open][id]")].map((node) => node.id));
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    if ((!focused || focused === old) && old.parentElement.matches("[data-in-place]")) {
      Idiomorph.morph(old, fresh, { callbacks: { afterNodeMorphed: Patchbay.unshow } });
      return;
    }
    keepTyped(old, fresh);
    const scroll = old.matches("[data-region]") && old.scrollTop; // to ask a row would cost the page's whole layout
    old.replaceWith(fresh);
    for (const id of open) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    htmx.process(fresh);
    if (scroll) fresh.scrollTop = scroll;
    if (focused === old) fresh.focus({ preventScroll: true });
    else if (focused) Patchbay.refocus(focused, fresh);
  }

  /** What was written into a field, and not sent, stands in the one that takes its place. */
  function keepTyped(old, fresh) {
    for (const field of old.querySelectorAll("input[id], textarea[id]")) {
      const heir = field.value !== field.defaultValue && fresh.querySelector(`#${CSS.escape(field.id)}`);
      if (!heir) continue;
      heir.value = field.value;
      if (field === document.activeElement) heir.setSelectionRange(field.selectionStart, field.selectionEnd);
    }
  }

  function insert(list, fresh) {
    // At the end first: nothing moves under a pointer. What was said stands in the order in which it was.
    const next = fresh.dataset.at && [...list.children].find((row) => Number(row.dataset.at) > Number(fresh.dataset.at));
    const before = pushed(list).map(topOf);
    list.insertBefore(fresh, next || null);
    if (pushed(list).some((one, nth) => topOf(one) !== before[nth])) {
      fresh.classList.add("coming"); // it is told all the same: by sound, title and mark
      later(list);
    }
    htmx.process(fresh);
    if (list.dataset.list === "append") follow(list, fresh);
    else sortSoon(list);
  }

  function remove(old) {
    const list = old.closest("[data-list]");
    if (list && (still(list) || pushed(list).length) && !old.dataset.fadesMs) {
      old.classList.add("leaving");
      for (const button of old.querySelectorAll("button")) button.disabled = true;
      later(list);
      return;
    }
    old.remove();
  }

  /** A transcript follows its end unless somebody reads further up; then it offers to go there. */
  function follow(list, fresh) {
    const pane = list.closest(".beside, [data-follows]") || document.documentElement;
    const jump = list.closest(".talk")?.querySelector("[data-jump]");
    if (below(pane) - fresh.offsetHeight < NEAR_PX) pane.scrollTop = pane.scrollHeight;
    else if (jump) jump.hidden = false;
  }

  const NEAR_PX = 160;
  const below = (pane) => pane.scrollHeight - pane.clientHeight - pane.scrollTop;
  document.addEventListener("click", (event) => {
    const jump = event.target.closest("[data-jump]");
    if (!jump) return;
    const pane = jump.closest(".beside, [data-follows]") || document.documentElement;
    pane.scrollTop = pane.scrollHeight;
    jump.hidden = true;
  });
  document.addEventListener("scroll", () => {
    for (const jump of document.querySelectorAll("[data-jump]:not([hidden])")) {
      if (below(jump.closest(".beside, [data-follows]") || document.documentElement) < NEAR_PX) jump.hidden = true;
    }
  }, { passive: true, capture: true });

  // Rows do not move under the pointer: sorting and removing wait while a row is pointed at or worked on.
  let pointed = 0, typed = 0;
  addEventListener("pointermove", () => (pointed = performance.now()), { passive: true });
  addEventListener("keydown", () => (typed = performance.now()), { passive: true });
  const waiting = new Set();

  function still(list) {
    const now = performance.now();
    // One reads a card for longer than that, and then presses what is under the pointer: it has to be that card's.
    const reads = list.matches("[data-acts]") && list.matches(":hover");
    return reads || (list.matches(":hover") && now - pointed < POINTER_MS) ||
      (list.contains(document.activeElement) && now - typed < 8000);
  }

  /** The lists further down that are pointed at: what comes or goes here may move their rows. */
  const pushed = (list) => list.dataset.pushes ? [...document.querySelectorAll(list.dataset.pushes)].filter(still) : [];
  const topOf = (list) => list.getBoundingClientRect().top;

  function later(list) { waiting.add(list); }

  function sortSoon(list) {
    if (list.dataset.list !== "sorted") return;
    if (still(list)) later(list);
    else sort(list);
  }

  function sort(list) {
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const rows = [...list.children].filter((row) => row.dataset.sort);
    const up = list.dataset.down === undefined ? 1 : -1;
    const wanted = [...rows].sort((a, b) => (keyOf(list, a) < keyOf(list, b) ? -up : up));
    // Only what is out of place is moved: of hundreds of rows each that is put anew is laid out and painted anew.
    let at = 0; // in `rows`: those before it stand where they belong, or will be put there
    const moved = new Set();
    for (const row of wanted) {
      while (moved.has(rows[at])) at += 1;
      if (row === rows[at]) at += 1;
      else if (row === rows[at + 1]) at += 2; // the one between belongs further down
      else {
        list.insertBefore(row, rows[at] ?? null);
        moved.add(row);
      }
    }
    focused?.focus({ preventScroll: true });
  }

  setInterval(() => {
    for (const list of waiting) {
      if (still(list) || pushed(list).length) continue;
      waiting.delete(list);
      for (const row of list.querySelectorAll(".leaving")) row.remove();
      for (const row of list.querySelectorAll(".coming")) row.classList.remove("coming");
      sort(list);
      shown();
    }
  }, 300);
  document.addEventListener("patchbay:sort", (event) => sort(event.target));

  // ── snapshots ───────────────────────────────────────────────────────────────────────────────
  let fetching = false, again = false;

  async function resync() {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    try {
      for (const view of views()) await snapshot(view);
    } catch {
      setTimeout(resync, 1000);
    }
    fetching = false;
    if (again) {
      again = false;
      resync();
    }
  }

  async function fetched(url) {
    const answer = await fetch(url, { headers: { "HX-Request": "true", "X-Snapshot": "1" }, credentials: "same-origin" });
    if (new URL(answer.url).pathname === "/login") location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    return parse(await answer.text());
  }

  const meanwhile = new Set(); // of each page that is being fetched, what has been told since

  async function snapshot(view) {
    const came = [];
    meanwhile.add(came);
    const fresh = await fetched(view.dataset.liveUrl || location.pathname + location.search)
      .finally(() => meanwhile.delete(came));
    const root = fresh.querySelector(`[data-live-view="${view.dataset.liveView}"]`);
    if (!root) return;
    view.dataset.livePositions = root.dataset.livePositions;
    learn(view);
    merge(root);
    const fetchedAt = positionsOf(root);
    for (const { audience, epoch, seq, pieces, html } of came) { // what has gone since would be there again
      if (html) merge(parse(html));
      const position = fetchedAt[audience];
      if (position && isOlder(position, [epoch, seq])) pieces.forEach(apply);
    }
    shown();
    lookAgain();
  }

  /** Take over the regions and lists of a fetched page, row by row. */
  function merge(root) {
    for (const list of root.querySelectorAll("[data-list]")) {
      const here = document.getElementById(list.id);
      if (!here) continue;
      if (list.dataset.next !== undefined) here.dataset.next = list.dataset.next;
      const rows = [...list.children].filter((row) => row.id);
      const ids = new Set(rows.map((row) => row.id));
      for (const old of [...here.children]) if (old.id && !ids.has(old.id)) remove(old);
      for (const row of rows) {
        dress(row);
        const old = document.getElementById(row.id);
        if (old) replace(old, row);
        else insert(here, row);
      }
    }
    for (const region of root.querySelectorAll("[data-region]")) {
      const here = document.getElementById(region.id);
      if (here) {
        dress(region);
        replace(here, region);
      }
    }
  }

  let sums = 0, dueTimer = 0;
  function sum(root) {
    sums += 1;
    merge(root);
    shown();
    lookAgain();
  }

  async function summarise() {
    const before = sums;
    try {
      const root = await fetched(document.querySelector("[data-live-summary]").dataset.liveSummary);
      if (sums === before) sum(root); // else this page was told a newer one meanwhile
    } catch {
      if (mark.dataset.state === "live") dueTimer = setTimeout(summarise, AGAIN_MS); // else the snapshot brings it
    }
  }

  /** What time alone brings (a hold that has become long) is fetched when the server said that it would be true. */
  function lookAgain() {
    clearTimeout(dueTimer);
    const next = Number(document.querySelector("[data-next]")?.dataset.next);
    if (next) dueTimer = setTimeout(summarise, Math.min(LONGEST_MS, Math.max(0, next - Patchbay.now()) + 50));
  }

  function banner(html) {
    const place = document.getElementById("banner");
    if (place.innerHTML.trim() !== html.trim()) place.innerHTML = html;
  }

  document.addEventListener("patchbay:views", subscribe);
  document.addEventListener("patchbay:resync", resync);
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.querySelector?.("[data-live-view]")) subscribe();
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig.verb === "post" && mark.dataset.state !== "live") resync();
  });
  views().forEach(learn);
  shown();
  lookAgain();
  connect();
})();
