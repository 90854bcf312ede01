/** Builds DOM without markup strings: text is always text, so data cannot become script. */

const SVG_NS = "http://www.w3.org/2000/svg";

function append(parent, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false || child === "") continue;
    if (Array.isArray(child)) append(parent, child);
    else parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/**
 * An element: `h("button", { class: "button", onclick, "aria-label": "…" }, "text", child, …)`.
 * `on…` functions become listeners; `true` sets an empty attribute; `false`, `null` and `undefined` set none; `dataset` is an object.
 * Children: nodes, strings, numbers, arrays; `null`, `undefined`, `false` and "" are skipped.
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on") && typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "value" && "value" in element) element.value = value;
    else if (name === "checked" || name === "disabled" || name === "hidden" || name === "required") element[name] = Boolean(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/** An SVG element, with attributes and children. */
export function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG_NS, tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/** Put these children, and nothing else, into the parent. */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
  return parent;
}

/** A 24-unit line icon drawn from one or more path strings; decorative for assistive technology. */
export function icon(paths, size = 24, className = "") {
  const list = Array.isArray(paths) ? paths : [paths];
  return s(
    "svg",
    { viewBox: "0 0 24 24", width: size, height: size, fill: "none", stroke: "currentColor", "stroke-width": 1.7, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true", class: className || null },
    ...list.map((d) => s("path", { d })),
  );
}
