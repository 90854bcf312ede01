/** Who is meant: the conditions of an audience as one field of a form, folded away while everybody is, and what they say in words. */
import { h } from "/static/shared/dom.js";
import { words } from "../texts.js";
import { control } from "./form.js";

const w = words({
  "audience.title": "发给谁",
  "audience.all": "全部会员",
  "audience.more": "按条件选择（不填为不限，所填条件须同时满足）",
  "audience.levels": "等级",
  "audience.stores": "门店",
  "audience.stages": "生命周期",
  "audience.potential": "潜在",
  "audience.new": "新客",
  "audience.returning": "回头客",
  "audience.loyal": "忠诚",
  "audience.dormant": "沉睡",
  "audience.lost": "流失",
  "audience.genders": "性别",
  "audience.male": "男",
  "audience.female": "女",
  "audience.unknown": "未填",
  "audience.months": "生日月份",
  "audience.month": "{count} 月",
  "audience.from": "入会不早于",
  "audience.until": "入会不晚于",
  "audience.joined": "{from} 至 {until} 入会",
  "audience.ends_from": "有效期不早于",
  "audience.ends_to": "有效期不晚于",
  "audience.ends": "{from} 至 {until} 到期",
  "audience.open": "不限",
  "audience.bought": "买过这些商品",
  "audience.bought_note": "商品编号，逗号分隔",
  "audience.within": "多少天内买过",
  "audience.bought_words": "买过 {skus}",
  "audience.within_words": "{count} 天内",
  "audience.numbers": "会员号",
  "audience.numbers_note": "逗号或换行分隔，最多 1000 个",
  "audience.people": "指定的 {count} 位会员",
});

const GENDERS = ["female", "male", "unknown"];
const STAGES = ["potential", "new", "returning", "loyal", "dormant", "lost"];
const MONTHS = Array.from({ length: 12 }, (_, index) => String(index + 1));
const listed = (text) => (text ? text.split(/[,，\s]+/).filter(Boolean) : []);
const some = (list) => (list?.length ? list : undefined);

/** A field `audience` for `form`: `levels` and `stores` as the API lists them; without `stores` (a store's staff) none is asked for; `ends`: the last days of memberships, too. */
export function audienceField({ value = {}, levels, stores = [], label = w("audience.title"), ends = false }) {
  const parts = Object.fromEntries([
    { name: "levels", label: w("audience.levels"), kind: "many", value: value.levels, options: levels.map((one) => [one.code, one.name]) },
    stores.length && { name: "store_ids", label: w("audience.stores"), kind: "many", value: value.store_ids, options: stores.map((one) => [one.id, one.name]) },
    { name: "stages", label: w("audience.stages"), kind: "many", value: value.stages, options: STAGES.map((one) => [one, w(`audience.${one}`)]) },
    { name: "genders", label: w("audience.genders"), kind: "many", value: value.genders, options: GENDERS.map((one) => [one, w(`audience.${one}`)]) },
    { name: "birthday_months", label: w("audience.months"), kind: "many", value: value.birthday_months?.map(String), options: MONTHS.map((one) => [one, w("audience.month", { count: one })]) },
    { name: "registered_from", label: w("audience.from"), kind: "date", value: value.registered_from },
    { name: "registered_until", label: w("audience.until"), kind: "date", value: value.registered_until },
    ends && { name: "valid_until_from", label: w("audience.ends_from"), kind: "date", value: value.valid_until_from },
    ends && { name: "valid_until_to", label: w("audience.ends_to"), kind: "date", value: value.valid_until_to },
    { name: "bought_skus", label: w("audience.bought"), note: w("audience.bought_note"), value: value.bought_skus?.join("，"), most: 4000 },
    { name: "bought_within_days", label: w("audience.within"), kind: "number", value: value.bought_within_days },
    { name: "member_nos", label: w("audience.numbers"), kind: "lines", rows: 2, note: w("audience.numbers_note"), value: value.member_nos?.join("，"), most: 16_000 },
  ].filter(Boolean).map((one) => [one.name, control(one)]));
  const problem = h("p", { class: "field-error" });
  const fold = h("details", { class: "fold", open: Object.keys(value).length > 0 }, h("summary", null, `${label}：${w("audience.more")}`), Object.values(parts).map((one) => one.node));

  function read() {
    const said = Object.fromEntries(Object.entries(parts).map(([name, one]) => [name, one.read()]));
    if (said.bought_within_days === undefined) return undefined;
    const audience = {
      levels: some(said.levels), store_ids: some(said.store_ids), stages: some(said.stages), genders: some(said.genders), birthday_months: some(said.birthday_months?.map(Number)),
      registered_from: said.registered_from ?? undefined, registered_until: said.registered_until ?? undefined,
      valid_until_from: said.valid_until_from ?? undefined, valid_until_to: said.valid_until_to ?? undefined,
      bought_skus: some(listed(said.bought_skus)), bought_within_days: said.bought_within_days ?? undefined, member_nos: some(listed(said.member_nos)),
    };
    return Object.fromEntries(Object.entries(audience).filter(([, one]) => one !== undefined));
  }

  function mark(text) {
    problem.textContent = text;
    if (text) fold.open = true;
  }

  return { name: "audience", node: h("div", { class: "field" }, fold, problem), read, mark, wrong: "form.number", input: parts.levels.input };
}

/** An audience in words, with the names of levels and stores. */
export function audienceWords(audience, { levels = [], stores = [] } = {}) {
  const names = (codes, all, key) => codes.map((code) => all.find((one) => one[key] === code)?.name || code).join("、");
  const { registered_from: from, registered_until: until, valid_until_from: ends, valid_until_to: ended } = audience;
  return [
    audience.levels && names(audience.levels, levels, "code"),
    audience.store_ids && names(audience.store_ids, stores, "id"),
    audience.stages?.map((one) => w(`audience.${one}`)).join("、"),
    audience.genders?.map((one) => w(`audience.${one}`)).join("、"),
    audience.birthday_months && `${w("audience.months")} ${audience.birthday_months.map((one) => w("audience.month", { count: one })).join("、")}`,
    (from || until) && w("audience.joined", { from: from || w("audience.open"), until: until || w("audience.open") }),
    (ends || ended) && w("audience.ends", { from: ends || w("audience.open"), until: ended || w("audience.open") }),
    audience.bought_skus && [audience.bought_within_days && w("audience.within_words", { count: audience.bought_within_days }), w("audience.bought_words", { skus: audience.bought_skus.join("、") })].filter(Boolean).join(""),
    audience.member_nos && w("audience.people", { count: audience.member_nos.length }),
  ].filter(Boolean).join("；") || w("audience.all");
}
