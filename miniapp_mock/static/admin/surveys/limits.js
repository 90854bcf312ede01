/** Dialogs of what a survey may give and take: the prizes of a draw, and quotas. Rows that are added and taken out. */
import { fill, h } from "/static/shared/dom.js";
import { field, formDialog } from "../parts/form.js";
import { questionsOf, w } from "./words.js";

const MOST_PRIZES = 20;
const MOST_QUOTAS = 50;
const WHOLE_BP = 10000;
const CHOOSING = ["single", "multiple"];

/** What is wrong with a field of this form, as the server would say it. */
const wrong = (name, message) => Object.assign(new Error(message), { name: "ApiError", fields: [{ pointer: `/${name}`, message }] });

const text = (name, label, value, most) => field({ name, label, input: h("input", { value: value ?? "", maxlength: most, autocomplete: "off" }) });
const number = (name, label, value, note = "") => field({ name, label, note, input: h("input", { class: "num", inputmode: "decimal", value: value ?? "", autocomplete: "off" }) });
const choice = (name, label, value, options) => field({ name, label, input: h("select", null, options.map(([one, shown]) => h("option", { value: one, selected: one === value }, shown))) });

/** A field of rows: `make(item)` is `{ controls, read }`; `after()` is told of every change. */
function rows({ name, items, most, make, add, row: label, after = () => null }) {
  const list = h("ol", { class: "stack survey-rows" });
  const problem = h("p", { class: "field-error" });
  const more = h("button", { type: "button", class: "button soft", onclick: () => { put(null); draw(); list.lastElementChild.querySelector("input, select").focus(); } }, add);
  const shown = [];
  const put = (item) => shown.push(make(item));

  function draw() {
    more.hidden = shown.length >= most;
    fill(list, shown.map((one, at) => h("li", null, h("fieldset", { class: "survey-row" }, h("legend", { class: "strong small" }, `${label} ${at + 1}`), h("div", { class: "survey-row-fields" }, one.controls.map((control) => control.node)),
      h("button", { type: "button", class: "button compact danger", "aria-label": `${w("survey.drop")} ${label} ${at + 1}`, onclick: () => { shown.splice(at, 1); draw(); more.focus(); } }, w("survey.drop"))))));
    after();
  }

  items.forEach(put);
  const changed = () => { problem.textContent = ""; after(); };
  const node = h("div", { class: "stack", oninput: changed }, list, h("div", null, more), problem);
  draw();
  return { name, node, input: more, read: () => shown.map((one) => one.read()), values: () => shown.map((one) => one.read()), mark: (said) => { problem.textContent = said; } };
}

const whole = (input) => { const said = input.value.trim(); return /^\d{1,9}$/.test(said) ? Number(said) : said ? NaN : null; };
/** Hundredths of a per cent, exact; NaN for what is none. */
function bp(input) {
  const [, before, after = ""] = /^(\d{1,3})(?:\.(\d{1,2}))?$/.exec(input.value.trim()) || [];
  return before === undefined ? NaN : Number(before) * 100 + Number(after.padEnd(2, "0"));
}

function prizeRow(prize) {
  const title = text("title", w("survey.prize_name"), prize?.title, 40);
  const chance = number("chance", w("survey.prize_chance"), prize ? prize.chance_bp / 100 : "");
  const stock = number("stock", w("survey.prize_stock"), prize?.stock);
  const kind = choice("kind", w("survey.prize_kind"), prize?.template_id ? "coupon" : "points", [["points", w("survey.reward_points")], ["coupon", w("survey.reward_coupon")]]);
  const value = text("value", w("survey.prize_value"), prize?.points ?? prize?.template_id, 16);
  return {
    controls: [title, chance, stock, kind, value],
    read() {
      const said = value.input.value.trim();
      const worth = kind.input.value === "points" ? { points: whole(value.input) } : { template_id: said };
      return { title: title.input.value.trim(), chance_bp: bp(chance.input), stock: whole(stock.input), ...worth };
    },
  };
}

/** What is not right about these prizes yet; "" where they may be saved. */
export function prizeFlaw(prizes) {
  if (prizes.some((one) => !one.title || !(one.chance_bp > 0) || !(one.stock === null || one.stock > 0) || !(one.points > 0 || one.template_id))) return w("survey.prize_incomplete");
  if (prizes.length && prizes.reduce((sum, one) => sum + one.chance_bp, 0) !== WHOLE_BP) return w("survey.prize_whole");
  return prizes.length && prizes.filter((one) => one.stock === null).length !== 1 ? w("survey.prize_rest") : "";
}

/** Ask for the prizes of a draw and save; `save(reward)`, null where there are none any more. */
export function prizesDialog({ reward, save }) {
  const sum = h("p", { class: "num small muted", role: "status" });
  let prizes = null;
  const count = () => {
    const total = prizes?.values().reduce((all, one) => all + (one.chance_bp || 0), 0) || 0;
    sum.textContent = w("survey.prize_sum", { percent: total / 100 });
  };
  prizes = rows({ name: "reward", items: reward?.prizes || [null, null], most: MOST_PRIZES, make: prizeRow, add: w("survey.prize_add"), row: w("survey.prize"), after: count });
  prizes.node.lastElementChild.before(sum);
  count();
  return formDialog({
    title: w("survey.draw"),
    note: w("survey.draw_note"),
    fields: [prizes],
    onSubmit: async (values) => {
      const flaw = prizeFlaw(values.reward);
      if (flaw) throw wrong("reward", flaw);
      return save(values.reward.length ? { prizes: values.reward } : null);
    },
  });
}

/** What a quota counts, by its key, in words. */
export function quotaNames(levels, content) {
  const choices = questionsOf(content).filter((one) => CHOOSING.includes(one.kind));
  return [
    ...levels.map((one) => [`level:${one.code}`, w("survey.quota_level", { name: one.name })]),
    ...choices.flatMap((question) => question.options.map((option) => [`answer:${question.id}:${option.id}`, `${question.title}：${option.text}`])),
  ];
}

export const quotaKey = (quota) => (quota.level ? `level:${quota.level}` : `answer:${quota.question}:${quota.choice}`);

function quotaOf(key, limit) {
  const [kind, one, other] = key.split(":");
  return kind === "level" ? { limit, level: one } : { limit, question: one, choice: other };
}

/** Ask for the quotas and save; `save(quotas)`. What was answered before counts towards them. */
export function quotasDialog({ quotas, names, save }) {
  const known = (quota) => (quota && !names.some(([key]) => key === quotaKey(quota)) ? [[quotaKey(quota), quotaKey(quota)], ...names] : names);
  function row(quota) {
    const what = choice("what", w("survey.quota_what"), quota && quotaKey(quota), known(quota));
    const limit = number("limit", w("survey.quota_limit"), quota?.limit);
    return { controls: [what, limit], read: () => quotaOf(what.input.value, whole(limit.input)) };
  }
  return formDialog({
    title: w("survey.quotas"),
    note: w("survey.quotas_note"),
    fields: [rows({ name: "quotas", items: quotas, most: MOST_QUOTAS, make: row, add: w("survey.quota_add"), row: w("survey.quota") })],
    onSubmit: async (values) => {
      if (values.quotas.some((one) => !(one.limit > 0))) throw wrong("quotas", w("survey.quota_incomplete"));
      if (new Set(values.quotas.map(quotaKey)).size < values.quotas.length) throw wrong("quotas", w("survey.quota_twice"));
      return save(values.quotas);
    },
  });
}
