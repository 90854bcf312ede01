/** Conditions on attributes of members as one field of a form, folded away while there are none. */
import { h } from "/static/shared/dom.js";
import { say } from "../attribute_words.js";
import { words } from "../texts.js";
import { control } from "./form.js";

const w = words({
  "cond.title": "按扩展属性筛选",
  "cond.any": "不限",
  "cond.from": "{name} 从",
  "cond.to": "{name} 到",
  "cond.filled": "已填写",
  "cond.empty": "未填写",
  "cond.number": "请填数字",
  "cond.crossed": "“从”不能大于“到”",
});

/** A field `attributes` for `form`, of attributes as the API lists them; its value is the search's list of conditions. */
export function attributeFilter(attributes, value = []) {
  const rows = attributes.map((one) => row(one, value.filter(({ code }) => code === one.code)));
  const names = attributes.map((one) => [one.code, one.name]);
  const chosen = (empty) => value.filter((one) => one.empty === empty).map(({ code }) => code);
  const [filled, bare] = [false, true].map((empty) => control({ name: "bare", label: w(empty ? "cond.empty" : "cond.filled"), kind: "many", value: chosen(empty), options: names }));
  const problem = h("p", { class: "field-error" });
  const fold = h("details", { class: "fold", open: value.length > 0 }, h("summary", null, w("cond.title")), rows.map((one) => one.nodes), filled.node, bare.node);

  function read() {
    const conditions = rows.map((one) => one.read());
    if (conditions.includes(undefined)) return undefined;
    return [
      ...conditions.filter(Boolean),
      ...filled.read().map((code) => ({ code, empty: false })),
      ...bare.read().map((code) => ({ code, empty: true })),
    ];
  }

  function mark(text) {
    problem.textContent = text;
    if (text) fold.open = true;
  }

  return { name: "attributes", node: h("div", { class: "field" }, fold, problem), read, mark, input: fold.querySelector("input, select"), wrong: "form.wrong" };
}

/** One attribute: `read()` gives its condition, null for none, undefined for what is none. */
function row(one, conditions) {
  const values = conditions.find(({ any_of }) => any_of)?.any_of;
  const any = (list) => (list.length ? { code: one.code, any_of: list } : null);
  if (["number", "date"].includes(one.type)) return range(one, conditions.find(({ at_least, at_most }) => at_least !== undefined || at_most !== undefined));
  if (one.type === "boolean") {
    const made = control({ name: one.code, label: one.name, kind: "choice", value: String(values?.[0] ?? ""), options: [["", w("cond.any")], ["true", say("yes")], ["false", say("no")]] });
    return { nodes: [made.node], read: () => any(made.read() ? [made.read() === "true"] : []) };
  }
  if (one.type === "text") {
    const made = control({ name: one.code, label: one.name, value: values?.[0], most: 200 });
    return { nodes: [made.node], read: () => any(made.read() ? [made.read().normalize("NFC")] : []) };
  }
  const made = control({ name: one.code, label: one.name, kind: "many", value: values, options: one.options.map((option) => [option.code, option.name]) });
  return { nodes: [made.node], read: () => any(made.read()) };
}

function range(one, condition = {}) {
  const number = one.type === "number";
  const [from, to] = [["from", condition.at_least], ["to", condition.at_most]].map(([end, value]) => control({
    name: `${one.code}-${end}`, label: w(`cond.${end}`, { name: one.name }), kind: number ? "text" : "date", value, most: 20,
  }));

  function end(made) {
    const said = made.read();
    const wrong = number && said !== null && !Number.isFinite(Number(said));
    made.mark(wrong ? w("cond.number") : "");
    if (wrong) return undefined;
    return number && said !== null ? Number(said) : said;
  }

  function read() {
    const [low, high] = [end(from), end(to)];
    if (low === undefined || high === undefined) return undefined;
    if (low === null && high === null) return null;
    const crossed = low !== null && high !== null && low > high;
    to.mark(crossed ? w("cond.crossed") : "");
    if (crossed) return undefined;
    return { code: one.code, ...(low === null ? {} : { at_least: low }), ...(high === null ? {} : { at_most: high }) };
  }

  return { nodes: [h("div", { class: "from-to" }, from.node, to.node)], read };
}
