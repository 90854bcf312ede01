/** Texts of the chain as the server sends them: blocks, drawn with this page's own elements. Nothing in them is markup. */
import { h } from "./dom.js";

const HEADINGS = ["h2", "h3", "h4"];

/** The nodes of a text's blocks. */
export function rich(blocks) {
  return h("div", { class: "rich" }, blocks.map(block));
}

function block(one) {
  switch (one.type) {
    case "heading": return h(HEADINGS[one.level - 1] || "h4", null, one.spans.map(span));
    case "paragraph": return h("p", null, one.spans.map(span));
    case "picture": return h("img", { class: "rich-picture", src: one.url, alt: one.alt, loading: "lazy", decoding: "async" });
    case "code": return h("pre", null, h("code", null, one.text));
    case "rule": return h("hr");
    case "quote": return h("blockquote", null, one.blocks.map(block));
    case "list": return h(one.ordered ? "ol" : "ul", { start: one.ordered && one.first !== 1 ? one.first : null }, one.items.map((item) => h("li", null, item.map(block))));
    case "table": return h("div", { class: "rich-table", tabindex: "0", role: "group" }, h("table", null,
      h("thead", null, h("tr", null, one.head.map((cell) => h("th", { scope: "col" }, cell.map(span))))),
      h("tbody", null, one.rows.map((row) => h("tr", null, row.map((cell) => h("td", null, cell.map(span))))))));
    default: return null; // what a later server may send
  }
}

function span(one) {
  let node = one.text.split("\n").flatMap((line, at) => (at ? [h("br"), line] : [line]));
  if (one.code) node = h("code", null, node);
  if (one.bold) node = h("strong", null, node);
  if (one.italic) node = h("em", null, node);
  if (one.struck) node = h("s", null, node);
  if (!one.href) return node;
  const away = one.href.startsWith("https://");
  if (!away && !one.href.startsWith("#/")) return node;
  return h("a", { href: one.href, target: away ? "_blank" : null, rel: away ? "noopener noreferrer" : null }, node);
}
