/** A list from the API, page after page by cursor. */
import { fill, h } from "/static/shared/dom.js";
import { t } from "../texts.js";
import { busy, empty, loading, trouble } from "./states.js";

const MOST_LOOKS = 10; // then somebody says whether to look further

/**
 * `columns`: `{ title, cell(item) → text or node, number?, width? ("narrow" | "wide"), hide? ("narrow": not shown on small windows) }`.
 * `load({ cursor, signal })` resolves with `{ items, next_cursor? }`. `open(item)` makes rows that lead somewhere (click, Enter);
 * `empty` is what `states.empty` takes. Returns the node; `node.reload()` begins anew, `node.items()` is what is shown.
 */
export function table({ label, columns, load, signal, open = null, none = {} }) {
  const body = h("tbody");
  const foot = h("div", { class: "table-foot" });
  const scroller = h("div", { class: "table-scroll" }, h("table", { class: "table" },
    h("caption", { class: "sr-only" }, label),
    h("thead", null, h("tr", null, columns.map((column) => h("th", { scope: "col", class: look(column) }, column.title)))),
    body));
  const node = h("div", { class: "card flush table-card" });
  let items = [];

  function row(item) {
    const cells = columns.map((column) => h("td", { class: look(column) }, column.cell(item)));
    if (!open) return h("tr", null, cells);
    const go = (event) => { if (!event.target.closest("a, button, input, select")) open(item); };
    return h("tr", { class: "opens", tabindex: "0", onclick: go, onkeydown: (event) => { if (event.key === "Enter" && event.target === event.currentTarget) open(item); } }, cells);
  }

  function showFoot(cursor) {
    if (!cursor) { fill(foot, h("p", { class: "muted tiny" }, t("table.all", { count: items.length }))); return; }
    const more = h("button", { type: "button", class: "button soft compact", onclick: () => busy(more, () => next(cursor)) }, t("table.more"));
    fill(foot, h("p", { class: "muted tiny", role: "status" }, items.length ? t("table.some", { count: items.length }) : t("table.none_yet")), more);
  }

  /** A page with something in it: one may have nothing and say where to go on, where few meet a filter. */
  async function lookOn(cursor) {
    let page = await load({ cursor, signal });
    for (let looks = 1; looks < MOST_LOOKS && !page.items.length && page.next_cursor && !(signal && signal.aborted); looks += 1) page = await load({ cursor: page.next_cursor, signal });
    return page;
  }

  async function next(cursor) {
    try {
      const page = await lookOn(cursor);
      if (signal && signal.aborted) return;
      items = items.concat(page.items);
      body.append(...page.items.map(row));
      showFoot(page.next_cursor);
    } catch (error) {
      if (!signal || !signal.aborted) fill(foot, trouble(error, () => next(cursor)));
    }
  }

  node.items = () => items;
  node.reload = async () => {
    node.setAttribute("aria-busy", "true");
    if (!items.length) fill(node, loading());
    try {
      const page = await lookOn(null);
      if (signal && signal.aborted) return;
      items = page.items;
      fill(body, items.map(row));
      if (items.length || page.next_cursor) { showFoot(page.next_cursor); fill(node, scroller, foot); } else fill(node, empty(none));
    } catch (error) {
      if (!signal || !signal.aborted) { items = []; fill(node, trouble(error, node.reload)); }
    } finally {
      node.removeAttribute("aria-busy");
    }
  };
  node.reload();
  return node;
}

function look(column) {
  return [column.number && "number num", column.width, column.hide && `hide-${column.hide}`].filter(Boolean).join(" ") || null;
}
