// The reports' plots: drawn from the same figures as the table below each, in the colours of the theme.
(() => {
  "use strict";

  const HEIGHT = 220;
  const TITLES = {
    "to-person": gettext("From asking to a person, in seconds"),
    days: gettext("Transfers over the days"),
    hours: gettext("Transfers by hour of the day, UTC"),
  };
  const DASHES = { p90: [8, 4], p99: [2, 3] };
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--pb-${name}`).trim();

  // ── which dates apply ───────────────────────────────────────────────────────────────────────
  const range = document.getElementById("r-range");
  const dates = [...document.querySelectorAll(".only-custom")];
  function offer() {
    for (const field of dates) {
      field.hidden = range.value !== "custom";
      field.querySelector("input").disabled = field.hidden; // what does not apply is not in the address
    }
  }
  if (range) {
    range.addEventListener("change", offer);
    offer();
  }

  // ── plots ───────────────────────────────────────────────────────────────────────────────────
  const node = document.getElementById("plots");
  const plots = node ? JSON.parse(node.textContent) : [];
  const drawn = new Map();

  function key(figure, plot) {
    figure.querySelector(".plot-title").textContent = TITLES[plot.id];
    figure.querySelector(".plot-canvas").setAttribute("aria-label",
      interpolate(gettext("Plot: %(title)s. The table below has the same figures."), { title: TITLES[plot.id] }, true));
    const items = plot.series.map((series) => {
      const item = document.createElement("li");
      item.className = `state-${series.role}`;
      item.innerHTML = '<i aria-hidden="true"></i><span></span> <b class="num"></b>';
      item.querySelector("i").dataset.line = plot.kind === "lines" ? series.name : "bar";
      item.querySelector("span").textContent = series.name;
      return item;
    });
    figure.querySelector(".plot-key").replaceChildren(...items);
    return items.map((item) => item.querySelector("b"));
  }

  /** Bars stand one upon the other: what is told of one is its own part. */
  function own(plot, series, at) {
    const value = plot.series[series].values[at];
    return plot.kind === "bars" && series + 1 < plot.series.length ? value - plot.series[series + 1].values[at] : value;
  }

  function tell(plot, values, at) {
    values.forEach((place, series) => {
      const value = at === null || at === undefined ? null : own(plot, series, at);
      place.textContent = value === null ? "" : `${value} ${plot.unit}`.trim();
    });
  }

  function axis(values) {
    const line = colour("line");
    return { stroke: colour("muted"), font: "12px Inter Variable, sans-serif", grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, ...values };
  }

  function draw(plot) {
    const figure = document.getElementById(`plot-${plot.id}`);
    if (!figure) return;
    figure.hidden = false;
    const place = figure.querySelector(".plot-canvas");
    drawn.get(plot.id)?.destroy();
    const values = key(figure, plot);
    const bars = plot.kind === "bars";
    const series = plot.series.map((one) => ({
      label: one.name,
      stroke: colour(one.role),
      width: bars ? 0 : 2,
      fill: bars ? colour(one.role) : undefined,
      dash: DASHES[one.name],
      paths: bars ? uPlot.paths.bars({ size: [0.72, 42] }) : undefined,
      points: { show: !bars, size: 5 },
      spanGaps: false,
    }));
    const last = plot.labels.length - 1;
    const title = (at) => (plot.labels[at] === undefined ? "" : plot.labels[at]);
    drawn.set(plot.id, new uPlot({
      width: place.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { x: { time: false, range: [-0.6, last + 0.6] }, y: { range: (_, low, high) => [0, Math.max(1, high * 1.08)] } },
      axes: [
        axis({ grid: { show: false }, incrs: [1, 2, 3, 7, 14, 30, 60, 90], space: 56, values: (_, at) => at.map(title) }),
        axis({ size: 56, incrs: plot.unit ? undefined : [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000] }),
      ],
      series: [{}, ...series],
      hooks: { setCursor: [(chart) => tell(plot, values, chart.cursor.idx)] },
    }, [plot.labels.map((_, at) => at), ...plot.series.map((one) => one.values)], place));
  }

  const all = () => plots.forEach(draw);
  if (plots.length) {
    all();
    new MutationObserver(all).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    new ResizeObserver(() => {
      for (const chart of drawn.values()) chart.setSize({ width: chart.root.parentElement.clientWidth, height: HEIGHT });
    }).observe(document.querySelector(".reports"));
  }
})();
