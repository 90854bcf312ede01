/** 明细: the statement of each account, by month, with filters. */
import { fill, h } from "../../shared/dom.js";
import { count, money, month } from "../../shared/format.js";
import { busy, emptyState, skeletonRows, trouble } from "../parts.js";
import { entryRow } from "../sheets/entry.js";
import { problemText, t } from "../texts.js";

const PAGE = 20;
const ACCOUNTS = ["stored", "points", "rebate"];
const FILTERS = { all: () => true, in: (entry) => entry.amount > 0, out: (entry) => entry.amount < 0 };
const ENOUGH = 8; // rows that fill the screen: a filter loads on until it has them

export function entriesScreen(app) {
  const asked = location.hash.split("?")[1];
  let account = ACCOUNTS.includes(asked) ? asked : "stored";
  let filter = "all";
  let entries = [];
  let cursor = null;
  let complete = false;
  let round = 0;
  const list = h("div", { class: "stack", "aria-live": "off" });
  const more = h("button", { type: "button", class: "button plain wide", hidden: true, onclick: () => busy(more, next) }, t("entries.more"));
  const end = h("p", { class: "tiny muted center end-note", hidden: true }, t("entries.end"));

  const tabs = ACCOUNTS.map((name) => h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "entries", class: "segment", onclick: () => select(name) }, t(`entries.${name}`)));
  const segments = h("div", { class: "segments", role: "tablist", "aria-label": t("entries.account"), onkeydown: arrow }, tabs);
  const chips = Object.keys(FILTERS).map((name) => h("button", { type: "button", class: "chip", "aria-pressed": String(name === filter), onclick: () => narrow(name) }, t(`entries.${name}`)));
  const node = h(
    "div",
    { class: "page stack entries" },
    segments,
    h("div", { class: "row chips", role: "group", "aria-label": t("entries.filter") }, chips),
    h("div", { id: "entries", role: "tabpanel", class: "stack" }, list, more, end),
  );

  function select(name) {
    account = name;
    reload();
  }

  function narrow(name) {
    filter = name;
    chips.forEach((chip, i) => chip.setAttribute("aria-pressed", String(Object.keys(FILTERS)[i] === name)));
    draw();
    fillScreen();
  }

  function arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = (ACCOUNTS.indexOf(account) + step + ACCOUNTS.length) % ACCOUNTS.length;
    select(ACCOUNTS[at]);
    tabs[at].focus();
  }

  async function reload() {
    round += 1;
    const mine = round;
    tabs.forEach((tab, i) => {
      const on = ACCOUNTS[i] === account;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
    });
    document.getElementById("entries")?.setAttribute("aria-labelledby", `tab-${account}`);
    entries = [];
    cursor = null;
    complete = false;
    more.hidden = true;
    end.hidden = true;
    fill(list, h("div", { class: "card flush" }, skeletonRows(6)));
    try {
      await load(mine);
    } catch (error) {
      if (mine === round) fill(list, h("div", { class: "card" }, trouble(error, reload)));
    }
  }

  async function load(mine) {
    const query = { account, limit: PAGE };
    if (cursor) query.cursor = cursor;
    const answer = await app.api.get("/v1/member/wallet/entries", query);
    if (mine !== round) return;
    const known = new Set(entries.map((entry) => entry.id));
    entries.push(...(answer.items || []).filter((entry) => !known.has(entry.id)));
    cursor = answer.next_cursor || null;
    complete = !cursor;
    draw();
    await fillScreen();
  }

  async function fillScreen() {
    const mine = round;
    if (!complete && entries.filter(FILTERS[filter]).length < ENOUGH && filter !== "all") await load(mine).catch(() => undefined);
  }

  async function next() {
    try {
      await load(round);
    } catch (error) {
      app.toast(problemText(error));
    }
  }

  function draw() {
    const shown = entries.filter(FILTERS[filter]);
    more.hidden = complete;
    end.hidden = !complete || shown.length < ENOUGH;
    if (!shown.length) {
      fill(list, complete ? h("div", { class: "card" }, nothing()) : h("div", { class: "card flush" }, skeletonRows(4)));
      return;
    }
    const months = new Map();
    for (const entry of shown) {
      const name = month(entry.at);
      if (!months.has(name)) months.set(name, []);
      months.get(name).push(entry);
    }
    const names = [...months.keys()];
    fill(list, names.map((name, i) => group(name, months.get(name), complete || i < names.length - 1)));
  }

  /** A month's rows; its sums only when all of it is here. */
  function group(name, rows, whole) {
    const sum = (sign) => rows.reduce((total, { amount }) => (Math.sign(amount) === sign ? total + Math.abs(amount) : total), 0);
    const written = (value) => (account === "points" ? count(value) : money(value));
    const sums = whole && filter === "all" && t("entries.month_sum", { in: written(sum(1)), out: written(sum(-1)) });
    return h(
      "section",
      { class: "stack tight" },
      h("div", { class: "month" }, h("h2", null, name), sums && h("p", { class: "tiny muted num" }, sums)),
      h("div", { class: "card flush cells" }, rows.map((entry) => entryRow(app, entry, account))),
    );
  }

  function nothing() {
    if (filter !== "all") return emptyState({ icon: "list", title: t("entries.empty_filter"), action: t("entries.all"), onAction: () => narrow("all") });
    const [action, route] = account === "stored" ? ["entries.go_recharge", "recharge"] : ["entries.go_code", "code"];
    return emptyState({ icon: "list", title: t(`entries.empty_${account}`), hint: t(`entries.empty_${account}_hint`), action: t(action), onAction: () => app.go(route) });
  }

  const near = new IntersectionObserver(([seen]) => {
    if (seen.isIntersecting && !more.hidden) busy(more, next);
  }, { rootMargin: "300px" });
  near.observe(more);
  const stop = app.events.listen((type) => {
    if (type === "sale_completed" || type === "recharged") reload();
  });
  reload();
  return {
    title: t("entries.title"),
    node,
    parent: "home",
    leave() {
      round += 1;
      near.disconnect();
      stop();
    },
  };
}
