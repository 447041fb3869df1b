// The page's own script: one stream of news for a tab, the chart of a study, nodes that open in place.
"use strict";
(() => {
  let stream = null, last = "", waiting = null;
  const said = (words) => { const at = document.getElementById("listening"); if (at) at.textContent = words; };
  const live = () => document.querySelector("#live[data-live]");
  // Whoever writes, reads an open part or has chosen text is not interrupted.
  const busy = () => live().contains(document.activeElement) && document.activeElement.closest("form, details, .scroll, figure")
    || live().querySelector("details[open]") || String(getSelection()).length > 0;
  const refresh = () => {
    waiting = null;
    if (!live()) return;
    if (busy()) { waiting = setTimeout(refresh, 2000); return; }
    htmx.ajax("GET", location.pathname + location.search, { target: "#live", select: "#live", swap: "outerHTML" });
  };
  const listen = () => {
    if (stream || document.hidden || !live()) return;
    stream = new EventSource("/news" + (last ? "?last=" + encodeURIComponent(last) : ""));
    const heard = (event) => { last = event.lastEventId; said("live"); };
    stream.addEventListener("here", heard);
    stream.addEventListener("changed", (event) => { heard(event); if (!waiting) waiting = setTimeout(refresh, 100); });
    stream.onerror = () => said("not connected");
  };
  const stop = () => { if (stream) stream.close(); stream = null; said(""); };
  document.addEventListener("visibilitychange", () => document.hidden ? stop() : listen());
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", listen);

  const all = async (address) => {
    const trials = [];
    for (let cursor = ""; ;) {
      const answer = await fetch(address + "?limit=1000" + (cursor && "&cursor=" + encodeURIComponent(cursor)));
      if (!answer.ok) throw new Error(answer.statusText);
      const page = await answer.json();
      trials.push(...page.trials);
      if (!(cursor = page.next_cursor)) return trials;
    }
  };
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const draw = async (place) => {
    const trials = (await all(place.dataset.trials)).filter((one) => one.score !== null);
    if (!trials.length) { place.textContent = "No trial has its score yet."; return; }
    const better = place.dataset.direction === "minimize" ? Math.min : Math.max;
    let best = trials[0].score;
    const data = [trials.map((one) => one.number), trials.map((one) => best = better(best, one.score)),
      trials.map((one) => one.control_score), trials.map((one) => one.score)];
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
    const steps = uPlot.paths.stepped({ align: 1 });
    place.replaceChildren();
    new uPlot({
      width: Math.max(place.clientWidth, 280), height: 300, scales: { x: { time: false } }, axes: [{ ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] }, axis],
      series: [{ label: "trial" },
        { label: "best so far", stroke: colour("--blue"), width: 2, paths: steps, points: { show: false } },
        { label: "control", stroke: colour("--faint"), dash: [6, 5], width: 1.5, spanGaps: true, points: { show: false } },
        { label: "score", stroke: colour("--amber"), paths: () => null, points: { show: true, size: 7, fill: colour("--amber") } }],
    }, data, place);
  };
  const charts = () => document.querySelectorAll(".chart").forEach((place) =>
    draw(place).catch((error) => { place.textContent = "The scores cannot be read: " + error.message; }));
  document.addEventListener("htmx:afterSettle", charts);

  // A node of a picture opens below it; without this script the link loads the page.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.node");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const asked = new URLSearchParams(location.search);
    asked.set("node", new URLSearchParams(link.getAttribute("href").slice(1)).get("node"));
    const address = location.pathname + "?" + asked;
    htmx.ajax("GET", address, { target: "#node", select: "#node", swap: "outerHTML" }).then(() => {
      history.replaceState(null, "", address);
      document.getElementById("node").focus();
    });
  });
  document.addEventListener("DOMContentLoaded", () => { charts(); listen(); });
})();
