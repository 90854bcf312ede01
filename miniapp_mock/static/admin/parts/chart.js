/**
 * Charts as inline SVG: drawn here from numbers, or by the server and taken over. Every one has a title, and its numbers as a table
 * for who cannot see it. Classes colour it (parts.css), so it follows the dark scheme; nothing inline, as the content policy asks.
 */
import { h, s } from "/static/shared/dom.js";
import { count } from "/static/shared/format.js";
import { t } from "../texts.js";
import { empty } from "./states.js";

const WIDTH = 640;

function frame(title, drawing, rows, shown) {
  const table = h("details", { class: "chart-data" }, h("summary", null, t("chart.table")), h("table", { class: "table" }, h("tbody", null, rows.map(([label, value]) => h("tr", null, h("th", { scope: "row" }, label), h("td", { class: "number num" }, shown(value)))))));
  return h("figure", { class: "chart" }, h("figcaption", { class: "strong small" }, title), drawing, table);
}

/** Lying bars: `rows` of `[label, number]`; `shown(number)` writes it. */
export function bars(title, rows, { shown = count } = {}) {
  if (!rows.length) return empty({ icon: "chart", title: t("chart.none") });
  const most = Math.max(1, ...rows.map(([, value]) => value));
  const drawing = s("svg", { viewBox: `0 0 ${WIDTH} ${rows.length * 32 + 4}`, class: "chart-svg", role: "img", "aria-label": `${title}：${rows.map(([label, value]) => `${label} ${shown(value)}`).join("，")}` },
    ...rows.flatMap(([label, value], place) => {
      const wide = Math.max(2, (value / most) * (WIDTH - 270));
      return [
        s("text", { x: 150, y: place * 32 + 22, class: "chart-label end" }, label.length > 11 ? `${label.slice(0, 10)}…` : label),
        s("rect", { x: 160, y: place * 32 + 6, width: wide, height: 22, rx: 4, class: "chart-bar" }),
        s("text", { x: 168 + wide, y: place * 32 + 22, class: "chart-label" }, shown(value)),
      ];
    }));
  return frame(title, drawing, rows, shown);
}

/** One line over time: `rows` of `[label, number]` in order. */
export function line(title, rows, { shown = count } = {}) {
  if (!rows.length) return empty({ icon: "chart", title: t("chart.none") });
  const [left, top, wide, high] = [56, 12, WIDTH - 72, 168];
  const most = Math.max(1, ...rows.map(([, value]) => value));
  const x = (place) => left + (rows.length > 1 ? (place / (rows.length - 1)) * wide : wide / 2);
  const y = (value) => top + high - (value / most) * high;
  const every = Math.ceil(rows.length / 8);
  const drawing = s("svg", { viewBox: `0 0 ${WIDTH} 216`, class: "chart-svg", role: "img", "aria-label": `${title}：${rows.map(([label, value]) => `${label} ${shown(value)}`).join("，")}` },
    ...[0, 0.5, 1].flatMap((share) => [
      s("path", { d: `M${left} ${y(most * share)}h${wide}`, class: "chart-grid" }),
      s("text", { x: left - 8, y: y(most * share) + 4, class: "chart-label end" }, shown(Math.round(most * share))),
    ]),
    s("path", { d: rows.map(([, value], place) => `${place ? "L" : "M"}${x(place)} ${y(value)}`).join(""), class: "chart-line" }),
    ...rows.map(([, value], place) => s("circle", { cx: x(place), cy: y(value), r: 3, class: "chart-dot" })),
    ...rows.flatMap(([label], place) => (place % every ? [] : [s("text", { x: x(place), y: 206, class: "chart-label middle" }, label)])));
  return frame(title, drawing, rows, shown);
}

const ELEMENTS = new Set(["svg", "g", "path", "rect", "circle", "line", "polyline", "polygon", "text", "tspan", "title", "desc"]);
const ATTRIBUTES = /^(viewBox|width|height|x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|d|points|transform|fill|fill-opacity|stroke|stroke-width|stroke-dasharray|stroke-linecap|stroke-linejoin|opacity|text-anchor|dominant-baseline|font-size|font-weight|font-family|class|role|aria-label|dx|dy)$/;

/** A chart that the server drew: only shapes and texts of it are taken over. `text` is the SVG's source. */
export function drawn(text, label) {
  const source = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  const copy = source.localName === "svg" ? taken(source) : null;
  if (!copy) return empty({ icon: "chart", title: t("chart.none") });
  copy.classList.add("chart-svg");
  copy.setAttribute("role", "img");
  if (label) copy.setAttribute("aria-label", label);
  copy.removeAttribute("width");
  copy.removeAttribute("height");
  return h("figure", { class: "chart" }, copy);
}

function taken(node) {
  if (!ELEMENTS.has(node.localName)) return null;
  const attributes = Object.fromEntries([...node.attributes].filter(({ name, value }) => ATTRIBUTES.test(name) && !/url\(|javascript:/i.test(value)).map(({ name, value }) => [name, value]));
  const children = [...node.childNodes].map((child) => (child.nodeType === Node.TEXT_NODE ? document.createTextNode(child.data) : child.nodeType === Node.ELEMENT_NODE ? taken(child) : null));
  return s(node.localName, attributes, ...children.filter(Boolean));
}
