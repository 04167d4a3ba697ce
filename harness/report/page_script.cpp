#include "harness/report/page.hpp"

namespace fusetune {

namespace {

// Draws heat maps over other axes and cases than the ones that the page comes with. The same
// cells, colours and texts as heat_map.cpp; without scripts the page shows what it came with.
constexpr const char* kHeatMaps = R"js(
"use strict";
(() => {
const cellWidth = 58, cellHeight = 30, head = 42, foot = 20, character = 6.6;
const steps = [1.01, 1.05, 1.15, 1.4, 2];

function element(parent, name, attributes, text) {
  const one = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  if (text !== undefined) one.textContent = text;
  parent.append(one);
  return one;
}

function cellOf(variants, xAxis, x, yAxis, y) {
  const cell = {kind: "untried", timed: 0, failed: 0, fate: null, best: null};
  for (const variant of variants) {
    if (variant.axes[xAxis] !== x || variant.axes[yAxis] !== y) continue;
    if (variant.us !== undefined) {
      cell.timed++;
      if (cell.kind === "timed" && cell.best.us <= variant.us) continue;
      cell.kind = "timed";
      cell.best = variant;
    } else if (variant.status !== undefined) {
      if (cell.failed++ === 0) cell.fate = variant;
      if (cell.kind !== "timed") cell.kind = "failed";
    } else if (cell.kind === "untried") {
      cell.kind = "unraced";
      cell.best = variant;
    }
  }
  return cell;
}

function tipOf(cell) {
  const lines = [];
  if (cell.kind === "timed")
    lines.push(`${Number(cell.best.us.toPrecision(4))} us, ${cell.best.over_best.toFixed(3)} of the fastest, ` +
               `${cell.best.standing} (${cell.timed} timed)`, cell.best.key);
  else if (cell.kind === "unraced")
    lines.push("proved and not raced: its code equals another's, or its bits differ", cell.best.key);
  else if (cell.kind === "untried")
    lines.push("no variant with these values was tried");
  if (cell.failed > 0)
    lines.push(`${cell.failed} failed, the first in ${cell.fate.step}: ${cell.fate.status}: ${cell.fate.message}`);
  return lines.join("\n");
}

function drawCell(svg, cell, x, y) {
  const width = cellWidth - 2, height = cellHeight - 2, middle = x + width / 2, line = y + height / 2 + 4;
  const colour = cell.kind === "timed" ? steps.filter(step => cell.best.over_best > step).length : 0;
  const rect = element(svg, "rect", {x, y, width, height, rx: 2, class: cell.kind === "timed" ? "h" + colour : cell.kind});
  element(rect, "title", {}, tipOf(cell));
  const write = (style, text) => element(svg, "text", {x: middle, y: line, class: style, "text-anchor": "middle"}, text);
  if (cell.kind === "timed") {
    write("t" + colour, cell.best.over_best.toFixed(2));
    if (cell.failed > 0) {
      const cx = x + width - 6, cy = y + 6;
      element(svg, "polygon", {class: "some-failed", points: `${cx},${cy - 4.2} ${cx + 4.2},${cy + 3.2} ${cx - 4.2},${cy + 3.2}`});
    }
  } else if (cell.kind === "failed") {
    write("failed-text", cell.fate.word);
  } else if (cell.kind === "unraced") {
    write("tiny", "=");
  }
}

function drawMap(holder, shown, xAxis, yAxis) {
  const xs = shown.axes[xAxis], ys = shown.axes[yAxis];
  const widest = Math.max(yAxis.length, ...ys.map(value => value.length));
  const left = character * widest + 10;
  const width = Math.max(left + cellWidth * xs.length, left + character * xAxis.length + 8, character * shown.baseline.length);
  const height = head + cellHeight * ys.length + foot;
  const title = `${shown.label}: time over the fastest variant, by ${yAxis} and ${xAxis}`;
  holder.replaceChildren();
  holder.setAttribute("aria-label", title);
  const svg = element(holder, "svg", {viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title});
  if (shown.baseline) element(svg, "text", {x: 0, y: height - 5, class: "soft"}, shown.baseline);
  element(svg, "text", {x: left, y: 12, class: "head"}, xAxis);
  element(svg, "text", {x: left - 8, y: head - 8, class: "head", "text-anchor": "end"}, yAxis);
  xs.forEach((x, i) => element(svg, "text",
    {x: left + cellWidth * (i + .5) - 1, y: head - 8, class: "soft", "text-anchor": "middle"}, x));
  ys.forEach((y, j) => {
    const top = head + cellHeight * j;
    element(svg, "text", {x: left - 8, y: top + cellHeight / 2 + 3, class: "soft", "text-anchor": "end"}, y);
    xs.forEach((x, i) => drawCell(svg, cellOf(shown.variants, xAxis, x, yAxis, y), left + cellWidth * i, top));
  });
}

function choice(parent, name, values, chosen) {
  const label = document.createElement("label"), select = document.createElement("select");
  label.append(name, select);
  values.forEach(([value, text]) => select.add(new Option(text, value, false, String(value) === String(chosen))));
  parent.append(label);
  return select;
}

for (const figure of document.querySelectorAll("figure.heat")) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const controls = figure.querySelector(".controls"), holder = figure.querySelector(".map");
  const axesOf = index => Object.keys(data.cases[index].axes);
  const cases = data.cases.map((one, i) => [i, one.name]).filter(([i]) => axesOf(i).length > 1);
  if (cases.length === 0) continue;
  const which = choice(controls, "case", cases, figure.dataset.case);
  const names = axesOf(Number(which.value)).map(axis => [axis, axis]);
  const y = choice(controls, "down", names, figure.dataset.y), x = choice(controls, "across", names, figure.dataset.x);
  const draw = changed => {
    if (x.value === y.value) {
      const other = changed === x ? y : x;
      other.value = names.map(([axis]) => axis).find(axis => axis !== changed.value);
    }
    const shown = data.cases[Number(which.value)];
    if (shown.axes[x.value] && shown.axes[y.value]) drawMap(holder, shown, x.value, y.value);
  };
  for (const select of [which, y, x]) select.addEventListener("change", () => draw(select));
  controls.hidden = false;
}
})();
)js";

}  // namespace

std::string page_script() { return kHeatMaps; }

}  // namespace fusetune
