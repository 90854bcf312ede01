/** Levels: their terms, the rules that reach and keep them, what new rules would change, and the runs that look at members. */
import { fill, h } from "/static/shared/dom.js";
import { ruleWords, w } from "../level_words.js";
import { attempt, confirm } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, discount, stamp } from "../parts/format.js";
import { head, pill, section } from "../parts/states.js";

const RULES = "/v1/admin/level-rules";
const RUNS = "/v1/admin/level-runs";
const LOOK_EVERY_MS = 1000;

export async function open({ api, me, signal }) {
  let { levels, version, rules } = await read();
  let draft = null; // rules by level that are not in force yet
  const board = h("div", { class: "stack" });
  const result = h("div", { class: "stack", "aria-live": "polite" });
  const list = section(async () => {
    if (!me.may("levels.write")) return [];
    const found = await api.get(RUNS, { limit: 8 }, { signal });
    if (found.items.some((one) => one.state === "running")) later();
    return found.items.length ? h("section", { class: "card stack" }, h("h2", null, w("lv.runs")), found.items.map(runRow)) : [];
  }, { signal });

  async function read() {
    const [terms, found] = await Promise.all([api.get("/v1/admin/levels", {}, { signal }), api.get(RULES, {}, { signal })]);
    return { levels: terms.items, version: found.version, rules: Object.fromEntries(found.rules.map(({ level, ...rule }) => [level, rule])) };
  }

  const later = () => setTimeout(() => { if (!signal.aborted) list.reload?.(); }, LOOK_EVERY_MS);
  const current = () => draft || rules;

  function put() {
    const buttons = draft && [
      h("span", { class: "pill gold" }, w("lv.changed")),
      h("button", { type: "button", class: "button", onclick: () => { draft = null; fill(result); put(); } }, w("lv.drop")),
      h("button", { type: "button", class: "button soft", onclick: preview }, w("lv.preview")),
      h("button", { type: "button", class: "button primary", onclick: apply }, w("lv.apply")),
    ];
    fill(board,
      draft && h("div", { class: "row wrap" }, buttons),
      h("div", { class: "card flush table-card" }, h("div", { class: "table-scroll" }, h("table", { class: "table" },
        h("caption", { class: "sr-only" }, w("lv.title")),
        h("thead", null, h("tr", null, ["level", "terms", "rule"].map((name) => h("th", { scope: "col" }, w(`lv.${name}`))), h("th", { scope: "col" }, h("span", { class: "sr-only" }, w("lv.edit_rule"))))),
        h("tbody", null, levels.map(row))))));
  }

  function row(level, place) {
    const may = me.may("levels.write");
    return h("tr", null,
      h("td", null, pill(level.name, "gold")),
      h("td", { class: "small" }, h("p", null, level.discount_bp ? discount(level.discount_bp) : w("lv.no_discount"), "，", w("lv.times", { times: level.points_multiplier_bp / 10_000 })), level.benefits.map((one) => h("p", { class: "muted" }, one))),
      h("td", { class: "small" }, ruleWords(level, current()[level.code], place === 0).map((one) => h("p", null, one))),
      h("td", null, may && h("div", { class: "row wrap" },
        h("button", { type: "button", class: "button compact", "aria-label": w("lv.edit_terms_of", { name: level.name }), onclick: () => editTerms(level) }, w("lv.edit_terms")),
        place > 0 && h("button", { type: "button", class: "button compact", "aria-label": w("lv.edit_rule_of", { name: level.name }), onclick: () => editRule(level) }, w("lv.edit_rule")))));
  }

  async function editTerms(level) {
    const done = await formDialog({
      title: w("lv.edit_terms_of", { name: level.name }),
      fields: [
        { name: "name", label: w("lv.f_name"), value: level.name, required: true, most: 40 },
        { name: "discount", label: w("lv.f_discount"), value: String(level.discount_bp / 100), required: true },
        { name: "multiplier", label: w("lv.f_multiplier"), value: String(level.points_multiplier_bp / 10_000), required: true },
        { name: "growth_from_fen", label: w("lv.f_growth_from"), kind: "money", value: level.growth_from_fen, required: true },
        { name: "benefits", label: w("lv.f_benefits"), kind: "lines", value: level.benefits.join("\n"), most: 800 },
      ],
      onSubmit: (values) => api.put(`/v1/admin/levels/${encodeURIComponent(level.code)}`, {
        name: values.name,
        discount_bp: Math.round(Number(values.discount) * 100),
        points_multiplier_bp: Math.round(Number(values.multiplier) * 10_000),
        growth_from_fen: values.growth_from_fen,
        benefits: (values.benefits || "").split("\n").map((one) => one.trim()).filter(Boolean),
      }),
    });
    if (done) { ({ levels, version, rules } = await read()); put(); }
  }

  async function editRule(level) {
    const rule = current()[level.code];
    const kind = !rule ? "growth" : rule.reach ? "rule" : "given";
    const values = await formDialog({ title: w("lv.edit_rule_of", { name: level.name }), note: w("lv.f_keep_note"), fields: ruleFields(kind, rule || {}), onSubmit: (found) => found });
    if (!values) return;
    draft = { ...current() };
    if (values.how === "growth") delete draft[level.code];
    else draft[level.code] = ruleOf(values);
    fill(result);
    put();
  }

  const body = () => ({ rules: Object.entries(draft).map(([level, rule]) => ({ level, ...rule })) });

  async function preview() {
    await attempt(async () => {
      let run = await api.post(`${RULES}/preview`, body());
      while (run.state === "running" && !signal.aborted) {
        fill(result, h("section", { class: "card" }, h("p", { class: "num" }, w("lv.progress", run))));
        await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
        run = await api.get(`${RUNS}/${encodeURIComponent(run.id)}`, {}, { signal });
      }
      later();
      fill(result, h("section", { class: "card stack" }, h("h2", null, w("lv.preview_result", { total: count(run.total), changed: count(run.changed) })), moves(run)));
    });
  }

  async function apply() {
    if (!(await confirm(w("lv.apply_ask"), { content: w("lv.apply_text"), confirmText: w("lv.apply") }))) return;
    if (!(await attempt(() => api.put(RULES, { version, ...body() }), w("lv.applied")))) return;
    draft = null;
    ({ levels, version, rules } = await read());
    fill(result);
    put();
    later();
  }

  function runRow(run) {
    return h("div", { class: "row wrap" },
      h("span", { class: "num small muted" }, stamp(run.created_at)), h("span", null, w(`lv.run_${run.kind}`)), pill(w(`lv.${run.state}`), run.state === "done" ? "brand" : run.state === "running" ? "gold" : ""),
      h("span", { class: "num small grow" }, w("lv.progress", { done: count(run.done), total: count(run.total), changed: count(run.changed) })),
      run.state === "running" && h("button", { type: "button", class: "button compact", onclick: async () => { if (await attempt(() => api.post(`${RUNS}/${encodeURIComponent(run.id)}/cancel`), w("lv.cancelled_done"))) list.reload?.(); } }, w("lv.cancel")));
  }

  function moves(run) {
    const name = (code) => levels.find((one) => one.code === code)?.name || code;
    const lines = Object.entries(run.moves).flatMap(([source, found]) => Object.entries(found).map(([target, n]) => h("p", { class: "num" }, w("lv.moves", { source: name(source), target: name(target), count: count(n) }))));
    return lines.length ? lines : h("p", { class: "muted" }, w("lv.no_moves"));
  }

  put();
  return [head(w("lv.title"), { note: w("lv.note") }), board, result, list];
}

function ruleFields(how, rule) {
  const reach = rule.reach || {};
  const keep = rule.keep || {};
  const window = rule.window || {};
  const period = rule.period || {};
  return [
    { name: "how", label: w("lv.f_ruled"), kind: "choice", value: how, options: [["growth", w("lv.f_growth")], ["rule", w("lv.f_rule")], ["given", w("lv.f_given")]] },
    { name: "spend_fen", label: w("lv.f_spend"), kind: "money", value: reach.spend_fen },
    { name: "points", label: w("lv.f_points"), kind: "number", value: reach.points },
    { name: "purchases", label: w("lv.f_purchases"), kind: "number", value: reach.purchases },
    { name: "match", label: w("lv.f_match"), kind: "choice", value: reach.match || "all", options: [["all", w("lv.f_match_all")], ["any", w("lv.f_match_any")]] },
    { name: "window", label: w("lv.f_window"), kind: "choice", value: window.kind || "months", options: ["months", "year", "joined", "ever"].map((one) => [one, w(`lv.window_${one}`, { months: "N" })]) },
    { name: "window_months", label: w("lv.f_window_months"), kind: "number", value: window.months ?? 12 },
    { name: "period", label: w("lv.f_period"), kind: "choice", value: period.kind || "months", options: [["months", w("lv.f_period_kind_months")], ["year", w("lv.f_period_year")], ["open", w("lv.f_period_open")]] },
    { name: "period_months", label: w("lv.f_period_months"), kind: "number", value: period.months ?? 12 },
    { name: "keep_spend_fen", label: w("lv.f_keep_spend"), kind: "money", value: keep.spend_fen },
    { name: "keep_points", label: w("lv.f_keep_points"), kind: "number", value: keep.points },
    { name: "keep_purchases", label: w("lv.f_keep_purchases"), kind: "number", value: keep.purchases },
    { name: "grace_days", label: w("lv.f_grace"), kind: "number", value: rule.grace_days ?? 0 },
    { name: "fall", label: w("lv.f_fall"), kind: "choice", value: rule.fall || "step", options: [["step", w("lv.fall_step")], ["balance", w("lv.fall_balance")]] },
  ];
}

function ruleOf(values) {
  const some = (found) => Object.fromEntries(Object.entries(found).filter(([, value]) => value !== null && value !== undefined));
  const reach = some({ spend_fen: values.spend_fen, points: values.points, purchases: values.purchases });
  const keep = some({ spend_fen: values.keep_spend_fen, points: values.keep_points, purchases: values.keep_purchases });
  const held = values.period !== "open";
  return some({
    reach: values.how === "rule" ? { ...reach, match: values.match } : null,
    window: { kind: values.window, months: values.window_months ?? 12 },
    period: { kind: values.period, months: values.period_months ?? 12 },
    keep: held && Object.keys(keep).length ? { ...keep, match: values.match } : null,
    grace_days: held ? values.grace_days ?? 0 : 0,
    fall: values.fall,
  });
}
