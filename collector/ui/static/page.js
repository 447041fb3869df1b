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

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // From lowest to highest, in one stroke for all.
  const whiskers = (found) => (chart) => {
    const ctx = chart.ctx, y = (score) => chart.valToPos(score, "y", true);
    ctx.save();
    ctx.beginPath();
    found.trials.forEach((trial, at) => {
      if (found.lowest[at] === null) return;
      const x = chart.valToPos(trial, "x", true);
      ctx.moveTo(x, y(found.lowest[at]));
      ctx.lineTo(x, y(found.highest[at]));
    });
    ctx.strokeStyle = colour("--amber");
    ctx.lineWidth = devicePixelRatio;
    ctx.stroke();
    ctx.restore();
  };
  const draw = async (place) => {
    const answer = await fetch(place.dataset.figures);
    if (!answer.ok) throw new Error(answer.statusText);
    const found = await answer.json();
    if (!found.trials.length) { place.textContent = "No trial has its score yet."; return; }
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
    const steps = uPlot.paths.stepped({ align: 1 });
    const unseen = { paths: () => null, points: { show: false } };
    place.replaceChildren();
    new uPlot({
      width: Math.max(place.clientWidth, 280), height: 300, scales: { x: { time: false } }, axes: [{ ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] }, axis],
      hooks: { draw: [whiskers(found)] },
      series: [{ label: "trial" },
        { label: "best so far", stroke: colour("--blue"), width: 2, paths: steps, points: { show: false } },
        { label: "control", stroke: colour("--faint"), dash: [6, 5], width: 1.5, spanGaps: true, points: { show: false } },
        { label: "score", stroke: colour("--amber"), paths: () => null, points: { show: true, size: 7, fill: colour("--amber") } },
        { label: "from", ...unseen }, { label: "to", ...unseen }, { label: "n", scale: "n", ...unseen }],
    }, [found.trials, found.best_so_far, found.controls, found.scores, found.lowest, found.highest, found.units], place);
  };
  const charts = () => document.querySelectorAll(".chart").forEach((place) =>
    draw(place).catch((error) => { place.textContent = "The scores cannot be read: " + error.message; }));
  document.addEventListener("htmx:afterSettle", charts);

  // A picture of ours in pixels, twice as large as it says where a canvas can be; without this script the link is the SVG.
  const png = async (link) => {
    const image = new Image();
    image.src = link.href;
    await image.decode();
    const zoom = Math.min(2, 16000 / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = image.width * zoom;
    canvas.height = image.height * zoom;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    const save = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: link.dataset.png });
    save.click();
    setTimeout(() => URL.revokeObjectURL(save.href), 60000);
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-png]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    png(link).catch((error) => said("no PNG: " + error.message));
  });

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
