/** The search box with its list, and articles by scanned barcode. */
import { fill, h } from "/static/shared/dom.js";
import { money } from "/static/shared/format.js";
import * as api from "./api.js";
import { addArticle } from "./basket.js";
import { picture } from "./icons.js";
import { announce, notify, trouble } from "./notices.js";
import { isMemberCode } from "./scanner.js";
import { t } from "./texts.js";

const LIMIT = 30;
const DELAY_MS = 120;
const BARCODE = /^\d{8,}$/;

const known = new Map(); // barcode and sku → article, so that a second scan needs no network
let queue = Promise.resolve();

function remember(articles) {
  for (const article of articles) {
    if (article.barcode) known.set(article.barcode, article);
    known.set(article.sku, article);
  }
}

const isExactly = (article, text) => article.barcode === text || article.sku.toLowerCase() === text.toLowerCase();

/** The article with this barcode or sku, or null. */
export async function articleOf(text) {
  if (known.has(text)) return known.get(text);
  const articles = await api.findArticles(text, LIMIT);
  remember(articles);
  return articles.find((article) => isExactly(article, text)) || null;
}

/** Add the scanned article; scans are served in their order. */
export function addScanned(text) {
  queue = queue.then(async () => {
    try {
      const article = await articleOf(text);
      if (article) addArticle(article);
      else notify(t("search.unknown_barcode", { code: text }), { bad: true, action: { text: t("pos.find_by_name"), run: focus } });
    } catch (error) {
      trouble(error, { text: t("common.retry"), run: () => addScanned(text) });
    }
  });
  return queue;
}

const input = h("input", {
  class: "input", id: "search", type: "search", role: "combobox", autocomplete: "off", spellcheck: "false", maxlength: "64", enterkeyhint: "search",
  placeholder: t("search.placeholder"), "aria-label": t("search.label"), "aria-expanded": "false", "aria-controls": "search-list", "aria-autocomplete": "list",
});
const list = h("ul", { class: "results", id: "search-list", role: "listbox", "aria-label": t("search.label"), hidden: true });

let onMemberCode = null;
let found = [];
let marked = -1;
let asking = null;
let timer = null;

/** The field itself. */
export const box = input;

export function focus() {
  input.focus();
}

export const isOpen = () => !list.hidden;

export function close({ clear = false } = {}) {
  asking?.abort();
  clearTimeout(timer);
  if (clear) input.value = "";
  found = [];
  marked = -1;
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function mark(index) {
  marked = index;
  [...list.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
  const option = list.children[index];
  if (option) input.setAttribute("aria-activedescendant", option.id);
  option?.scrollIntoView({ block: "nearest" });
}

function choose(index) {
  const article = found[index];
  if (!article) return;
  close({ clear: true });
  addArticle(article);
  focus();
}

function option(article, index) {
  return h("li", { class: "result", role: "option", id: `result-${index}`, onpointerdown: (event) => event.preventDefault(), onclick: () => choose(index) },
    h("div", { class: "grow" },
      h("div", { class: "clip strong" }, article.name),
      h("div", { class: "tiny muted row tight num" }, h("span", null, article.sku), h("span", null, article.category), article.barcode ? h("span", null, article.barcode) : null)),
    h("span", { class: "num strong" }, money(article.unit_price_fen)));
}

function open(...content) {
  fill(list, content);
  list.hidden = false;
  input.setAttribute("aria-expanded", "true");
}

async function look({ take = false } = {}) {
  const query = input.value.trim();
  asking?.abort();
  asking = new AbortController();
  const mine = asking;
  try {
    const articles = await api.findArticles(query, LIMIT, mine.signal);
    if (mine.signal.aborted) return;
    remember(articles);
    found = articles;
    const exact = articles.findIndex((article) => isExactly(article, query));
    if (take && (exact >= 0 || articles.length === 1)) return void choose(Math.max(exact, 0));
    if (!articles.length) {
      open(h("li", { class: "result-none" },
        h("p", { class: "strong" }, t("search.none", { query })),
        h("p", { class: "small muted" }, t("search.none_hint")),
      ));
      return void announce(t("search.none", { query }));
    }
    open(articles.map(option));
    mark(0);
    announce(t("search.results", { count: articles.length }));
  } catch (error) {
    if (mine.signal.aborted) return;
    open(h("li", { class: "result-none" }, h("p", { class: "strong" }, t("search.failed"))));
  }
}

function onKey(event) {
  if (event.isComposing) return;
  if (event.key === "Enter") {
    event.preventDefault();
    clearTimeout(timer);
    const text = input.value.trim();
    if (BARCODE.test(text)) { // a scanner too slow to be told from a hand, or a number keyed in
      close({ clear: true });
      if (isMemberCode(text)) onMemberCode(text);
      else addScanned(text);
    } else if (isOpen() && marked >= 0 && !timer) choose(marked);
    else if (input.value.trim()) look({ take: true });
    timer = null;
  } else if (isOpen() && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    event.stopPropagation();
    if (found.length) mark((marked + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length);
  } else if (event.key === "Escape" && (isOpen() || input.value)) {
    event.preventDefault();
    event.stopPropagation();
    close({ clear: true });
  }
}

/** The search box with its list; `memberCode(code)` is told of a member code typed into it. */
export function build(memberCode) {
  onMemberCode = memberCode;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (!input.value.trim()) return close();
    timer = setTimeout(() => { timer = null; look(); }, DELAY_MS);
    return undefined;
  });
  input.addEventListener("keydown", onKey);
  input.addEventListener("blur", () => setTimeout(() => { if (document.activeElement !== input) close(); }, 0));
  const browse = h("button", { class: "button compact soft", type: "button", id: "browse", onpointerdown: (event) => event.preventDefault(), onclick: () => { focus(); input.value = ""; isOpen() ? close() : look(); } }, t("search.browse"));
  return h("div", { class: "search", role: "search" }, picture("search", 20), input, h("kbd", null, "F3"), browse, list);
}
