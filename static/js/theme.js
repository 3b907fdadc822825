// Before the first paint: dark or light as chosen, else as the system says.
(() => {
  "use strict";
  const kept = localStorage.getItem("patchbay-theme");
  const system = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  document.documentElement.dataset.bsTheme = kept || system;
})();
