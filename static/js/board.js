// The wallboard's filter: the rule of transfers/board_filter.py on the rows that are here, with the address kept.
(() => {
  "use strict";

  const form = document.getElementById("board-filter");
  const list = document.getElementById("strips");
  const count = document.getElementById("shown-count");
  const view = document.querySelector("[data-live-view='wallboard']");
  let wanted = read();

  function read() {
    const data = new FormData(form);
    const one = (name) => String(data.get(name) || "");
    return {
      words: one("q").toLowerCase().split(/\s+/).filter(Boolean),
      department: one("department"), state: one("state"), needs: data.has("needs"),
    };
  }

  const needing = () => new Set([...document.querySelectorAll(".need[data-call]")].map((card) => card.dataset.call));
  const textOf = (row) =>
    [".caller", ".dept", ".words"].map((part) => row.querySelector(part).textContent).join(" ").toLowerCase();

  function admits(row, calls) {
    if (wanted.department && row.dataset.department !== wanted.department) return false;
    const held = wanted.state === "hold" && row.dataset.held !== undefined;
    if (wanted.state && row.dataset.state !== wanted.state && !held) return false;
    if (wanted.needs && !calls.has(row.id.replace("strip-", ""))) return false;
    if (!wanted.words.length) return true;
    const text = textOf(row);
    return wanted.words.every((word) => text.includes(word));
  }

  const active = () => wanted.words.length || wanted.department || wanted.state || wanted.needs;

  /** A row that is about to be put on the page (live.js). */
  Patchbay.filterRow = (row) => {
    if (active() && row.matches?.("a.strip")) row.hidden = !admits(row, needing());
  };

  function apply() {
    const calls = needing(), rows = list.querySelectorAll("a.strip");
    let shown = 0;
    for (const row of rows) {
      const fits = !active() || admits(row, calls);
      if (row.hidden === fits) row.hidden = !fits;
      shown += fits;
    }
    list.classList.toggle("none-fit", rows.length > 0 && !shown);
    const text = active() ? interpolate(gettext("%(shown)s of %(all)s"), { shown, all: rows.length }, true) : String(rows.length);
    if (count.textContent !== text) count.textContent = text;
  }

  function changed() {
    wanted = read();
    const { by, down } = form.elements.sort.selectedOptions[0].dataset;
    list.dataset.by = by;
    if (down === undefined) delete list.dataset.down;
    else list.dataset.down = "";
    const said = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const address = said.size ? `${form.action}?${said}` : form.action;
    history.replaceState(history.state, "", address);
    view.dataset.liveUrl = location.pathname + location.search;
    apply();
    list.dispatchEvent(new CustomEvent("patchbay:sort", { bubbles: true }));
  }

  /** Fill the form as an address says. */
  function choose(address) {
    const said = new URLSearchParams(address);
    for (const field of form.elements) {
      if (field.type === "checkbox") field.checked = said.get(field.name) === field.value;
      else if (field.name) field.value = said.get(field.name) || "";
    }
    changed();
  }

  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-filter]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    choose(link.dataset.filter);
  });
  document.addEventListener("patchbay:shown", apply);
  apply();
})();
