// Keys: a letter presses what carries it as data-key, ? lists them, ⌘K finds. Letters may be turned off (WCAG 2.1.4).
(() => {
  "use strict";

  const $ = (id) => document.getElementById(id);
  const LETTERS = "patchbay-letters";
  const ROWS = ".need, a.strip, .callback .btn-primary, .list tbody a";
  const overview = $("keys");

  // ── what there is ───────────────────────────────────────────────────────────────────────────
  const visible = (node) => node.checkVisibility() && !node.disabled;

  /** The row that is worked on: the focused card or strip. */
  const row = () => document.activeElement?.closest?.(".need, a.strip");

  function escalate() {
    const here = row(), strip = here?.matches("a.strip") ? here : null;
    const button = here ? here.querySelector("[data-focus='escalate']") : $("main").querySelector(
      "#beside [data-focus='escalate'], .call-side [data-focus='escalate']");
    if (button) button.click();
    else if (strip) htmx.ajax("GET", `${strip.getAttribute("href")}/escalate`, { target: "#panel-body", swap: "innerHTML" });
    else if (here?.querySelector("[data-approve]")) Patchbay.notice("refused", gettext("This caller's request is waiting already: Enter approves it."));
  }

  const mayEscalate = () => document.body.dataset.mayEscalate !== undefined;
  const everywhere = [
    { key: "e", name: gettext("Escalate the chosen or open call; ⏎ sends it as drafted"), does: escalate, when: mayEscalate },
    { key: "j", shown: "J ↓", name: gettext("Next row"), does: () => step(1) },
    { key: "k", shown: "K ↑", name: gettext("Row before"), does: () => step(-1) },
    { key: "?", name: gettext("These keys"), does: () => list() },
  ];
  const always = [
    { shown: "⏎", name: gettext("Open the chosen row; approve the chosen request") },
    { shown: "⌘K", name: gettext("Find a call, go to a page, do something") },
    { shown: "Esc", name: gettext("Close what is open") },
  ];

  const nameOf = (node) => node.dataset.keyName || node.textContent.trim();
  const onPage = () => [...document.querySelectorAll("[data-key]")].filter(visible);

  // ── pressing ────────────────────────────────────────────────────────────────────────────────
  const typing = (node) => node.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  const letters = () => localStorage.getItem(LETTERS) !== "off";

  // Where one writes may be taken away in the middle of a word: the rest of it presses nothing.
  const CUT_OFF_MS = 1500;
  let wrote = null; // {field, at}
  function cutOff() {
    if (!wrote || wrote.field.isConnected || performance.now() - wrote.at > CUT_OFF_MS) return false;
    wrote.at = performance.now();
    return true;
  }

  // On the window, so that what a page does with a key of its own comes first.
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat && !/^(Arrow|[jk]$)/i.test(event.key)) return;
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) Patchbay.openPalette();
      return;
    }
    const field = typing(event.target);
    if (field) wrote = event.key.length === 1 ? { field, at: performance.now() } : null; // ⏎ and Esc end what is written
    if (event.metaKey || event.ctrlKey || event.altKey || field || cutOff()) return;
    const arrow = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (arrow && document.activeElement.matches(ROWS)) {
      event.preventDefault();
      step(arrow);
    } else if (event.key.length === 1 && letters() && press(event.key.toLowerCase())) event.preventDefault();
  });

  /** In a dialog only what is in it; true if something has that key. */
  function press(key) {
    const dialog = document.querySelector("dialog[open]");
    const own = onPage().filter((node) => !dialog || dialog.contains(node));
    const chosen = own.find((node) => node.dataset.key.toLowerCase() === key);
    if (chosen) {
      if (chosen.matches("input, select, textarea")) chosen.focus();
      else chosen.click();
      return true;
    }
    const known = !dialog && everywhere.find((one) => one.key === key && (!one.when || one.when()));
    if (known) known.does();
    return Boolean(known);
  }

  function step(by) {
    const rows = [...document.querySelectorAll(ROWS)].filter(visible);
    const here = rows.indexOf(document.activeElement.closest(ROWS));
    const next = rows[here < 0 ? (by > 0 ? 0 : rows.length - 1) : here + by];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  // ── the overview ────────────────────────────────────────────────────────────────────────────
  function list() {
    const own = onPage().filter((node) => !node.closest("dialog")).map((node) => ({
      shown: node.dataset.key.toUpperCase(), name: nameOf(node),
    }));
    const known = everywhere.filter((one) => !one.when || one.when());
    const lines = [...own, ...known, ...always].map((one) => {
      const line = document.createElement("div");
      line.innerHTML = "<dt></dt><dd></dd>";
      for (const key of (one.shown || one.key.toUpperCase()).split(" ")) {
        line.querySelector("dt").append(Object.assign(document.createElement("kbd"), { textContent: key }), " ");
      }
      line.querySelector("dd").textContent = one.name;
      return line;
    });
    $("key-list").replaceChildren(...lines);
    Patchbay.open(overview);
  }
  overview.addEventListener("click", (event) => {
    if (event.target === overview || event.target.closest("[data-close]")) overview.close();
  });
  $("keys-button").addEventListener("click", () => {
    document.querySelector("details.menu[open]").open = false;
    list();
  });

  const lettersSwitch = $("keys-switch");
  lettersSwitch.checked = letters();
  lettersSwitch.addEventListener("change", () => localStorage.setItem(LETTERS, lettersSwitch.checked ? "on" : "off"));

  /** For the palette: everything that can be done here, by name. */
  Patchbay.doable = () => [
    ...onPage().map((node) => ({ name: nameOf(node), does: () => press(node.dataset.key.toLowerCase()) })),
    ...everywhere.filter((one) => one.key === "e" && mayEscalate() && document.querySelector(".call-side [data-focus='escalate']"))
      .map(({ does }) => ({ name: gettext("Escalate the open call"), does })),
    { name: gettext("Show the keys"), does: list },
  ];
})();
