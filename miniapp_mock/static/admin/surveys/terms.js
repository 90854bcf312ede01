/** The dialog of a survey's settings: who, when, how many, what for; and the words before and after. */
import { formDialog } from "../parts/form.js";
import { w } from "./words.js";

const kindOf = (reward) => (!reward ? "none" : reward.points ? "points" : reward.template_id ? "coupon" : "kept");

/** Ask for them and save; `save({ terms, content })`. What was published keeps what it promised. */
export function termsDialog({ terms, content, levels, stores, published, save }) {
  const kind = kindOf(terms.reward);
  const after = terms.after_sale;
  const rewards = [["none", w("survey.reward_none")], ["points", w("survey.reward_points")], ["coupon", w("survey.reward_coupon")], ...(kind === "kept" ? [["kept", w("survey.reward_kept")]] : [])];
  return formDialog({
    title: w("survey.terms"),
    fields: [
      { name: "title", label: w("survey.name"), value: terms.title, required: true, most: 60 },
      { name: "intro", label: w("survey.intro"), kind: "lines", rows: 2, value: content.intro, most: 1000 },
      { name: "thanks", label: w("survey.thanks"), kind: "lines", rows: 2, value: content.thanks, most: 1000 },
      { name: "reveal", label: w("survey.reveal"), kind: "choice", value: content.reveal || "nothing", options: ["nothing", "score", "answers"].map((one) => [one, w(`survey.reveal_${one}`)]) },
      { name: "opens_at", label: w("survey.opens"), kind: "time", value: terms.opens_at },
      { name: "closes_at", label: w("survey.closes"), kind: "time", value: terms.closes_at },
      { name: "total", label: w("survey.total"), kind: "number", value: terms.total },
      { name: "levels", label: w("survey.levels"), kind: "many", value: terms.audience.levels, options: levels.map((one) => [one.code, one.name]) },
      { name: "stores", label: w("survey.stores"), kind: "many", value: terms.audience.store_ids, options: stores.map((one) => [one.id, one.name]) },
      ...(published ? [] : [
        { name: "anonymous", label: w("survey.anonymous"), kind: "tick", value: terms.anonymous },
        { name: "reward", label: w("survey.reward"), kind: "choice", value: kind, options: rewards },
        { name: "points", label: w("survey.points"), kind: "number", value: terms.reward?.points },
        { name: "template_id", label: w("survey.template"), value: terms.reward?.template_id, most: 16 },
        { name: "after_sale", label: w("survey.after_sale"), kind: "tick", value: Boolean(after) },
        { name: "within_days", label: w("survey.within"), kind: "number", value: after?.within_days ?? 7 },
        { name: "every_days", label: w("survey.every"), kind: "number", value: after?.every_days ?? 90 },
      ]),
    ],
    onSubmit: (values) => save({ terms: { ...terms, ...next(values, terms, published) }, content: { intro: values.intro || "", thanks: values.thanks || "", reveal: values.reveal } }),
  });
}

function next(values, terms, published) {
  const audience = { ...terms.audience };
  delete audience.levels;
  delete audience.store_ids;
  if (values.levels.length) audience.levels = values.levels;
  if (values.stores.length) audience.store_ids = values.stores;
  const changed = { title: values.title, opens_at: values.opens_at, closes_at: values.closes_at, total: values.total, audience };
  if (published) return changed;
  const rewards = { none: null, points: { points: values.points }, coupon: { template_id: values.template_id }, kept: terms.reward };
  const afterSale = values.after_sale ? { ...terms.after_sale, within_days: values.within_days ?? 7, every_days: values.every_days ?? 90 } : null;
  return { ...changed, anonymous: values.anonymous, reward: rewards[values.reward], after_sale: afterSale };
}
