// The palette (⌘K): a combobox over the pages, what can be done here, and the calls that the console finds.
(() => {
  "use strict";

  const dialog = document.getElementById("palette");
  const words = document.getElementById("palette-words");
  const list = document.getElementById("palette-list");
  const PAUSE_MS = 120;
  let timer = 0, asked = null, acts = new Map();

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  function choose(option) {
    for (const other of options()) other.setAttribute("aria-selected", String(other === option));
    if (option) words.setAttribute("aria-activedescendant", option.id);
    else words.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  function option(name, icon, does) {
    const made = document.createElement("li");
    made.id = `palette-${acts.size}`;
    made.setAttribute("role", "option");
    made.setAttribute("aria-selected", "false");
    made.innerHTML = `<i class="ti ti-${icon}" aria-hidden="true"></i><span></span>`;
    made.querySelector("span").textContent = name;
    acts.set(made.id, does);
    return made;
  }

  /** What is known at once; calls follow when the console has answered. */
  function offer() {
    acts = new Map();
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = ({ name }) => wanted.every((word) => name.toLowerCase().includes(word));
    const pages = [...document.querySelectorAll("nav.pages a")].map((link) => ({
      name: interpolate(gettext("Go to %(page)s"), { page: link.textContent.trim() }, true), does: () => link.click(),
    }));
    list.replaceChildren(
      ...Patchbay.doable().filter(fits).map(({ name, does }) => option(name, "bolt", does)),
      ...pages.filter(fits).map(({ name, does }) => option(name, "arrow-right", does)),
    );
    choose(options()[0]);
  }

  async function find() {
    asked?.abort();
    const mine = (asked = new AbortController());
    if (!words.value.trim()) return;
    try {
      const address = `${list.dataset.findUrl}?q=${encodeURIComponent(words.value)}`;
      const answer = await fetch(address, { signal: mine.signal, headers: { "HX-Request": "true" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = document.createElement("template");
      found.innerHTML = (await answer.text()).trim();
      if (mine.signal.aborted) return;
      Patchbay.tick(found.content);
      const first = !chosen() || chosen() === options()[0];
      list.prepend(found.content); // whoever types digits wants the call
      if (first) choose(options()[0]);
      told();
    } catch (error) {
      if (error.name !== "AbortError") told(gettext("The console did not answer, so calls cannot be found now."));
    }
  }

  function told(text) {
    const empty = words.value.trim() && !options().length;
    let line = list.nextElementSibling.matches(".palette-told") ? list.nextElementSibling : null;
    if (!text && !empty) {
      line?.remove();
      return;
    }
    if (!line) {
      line = Object.assign(document.createElement("p"), { className: "palette-told muted" });
      list.after(line);
    }
    line.textContent = text || gettext("Nothing is called that, and no call matches.");
  }

  function go(option) {
    if (!option) return;
    dialog.close();
    if (option.dataset.href) location.assign(option.dataset.href);
    else acts.get(option.id)?.();
  }

  Patchbay.openPalette = () => {
    words.value = "";
    offer();
    told();
    Patchbay.open(dialog);
    words.focus();
  };
  document.getElementById("find").addEventListener("click", Patchbay.openPalette);

  words.addEventListener("input", () => {
    offer();
    clearTimeout(timer);
    timer = setTimeout(find, PAUSE_MS);
  });
  words.addEventListener("keydown", (event) => {
    const all = options(), at = all.indexOf(chosen());
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (event.key === "Enter") {
      event.preventDefault();
      go(chosen());
    } else if (to !== undefined && all.length) {
      event.preventDefault();
      choose(all[(to + all.length) % all.length]);
    }
  });
  list.addEventListener("click", (event) => go(event.target.closest("[role=option]")));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    clearTimeout(timer);
    asked?.abort();
  });
})();
