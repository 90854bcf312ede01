/** A conversation that staff read: what was said, by whom, with pictures, and what happened in between. */
import { h } from "/static/shared/dom.js";
import { date, stamp } from "./format.js";

const PICTURE = "图片";

/** One thing that was said: `{ who, at?, day?, text, pictures? }`; `look`: "" (the customer), "own" (staff), "note" (staff only). */
export function said({ who, at, day, text, pictures = [] }, look = "") {
  return h("li", { class: `said ${look}`.trim() },
    h("p", { class: "muted tiny num" }, `${who} · ${at ? stamp(at) : date(day)}`),
    text && h("p", { class: "said-text" }, text),
    pictures.length > 0 && h("p", { class: "said-pictures" }, pictures.map((one, i) => h("a", { href: one.url, target: "_blank", rel: "noopener noreferrer" }, h("img", { src: one.small_url, alt: `${PICTURE} ${i + 1}`, loading: "lazy" })))));
}

/** Something that happened without a word. */
export function happened(text, at) {
  return h("li", { class: "happened muted tiny num" }, `${text} · ${stamp(at)}`);
}

export function thread(label, items) {
  return h("ul", { class: "thread", "aria-label": label }, items);
}
