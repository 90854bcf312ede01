/** Where members stand in a customer's life: now, day by day, and by which rules. */
import { h } from "/static/shared/dom.js";
import { w } from "../level_words.js";
import { bars, drawn } from "../parts/chart.js";
import { attempt } from "../parts/dialogs.js";
import { field, formDialog } from "../parts/form.js";
import { count, day } from "../parts/format.js";
import { empty, head, section } from "../parts/states.js";

const STAGES = "/v1/admin/stages";
const DAY_MS = 86400000;

export async function open({ api, me, place, signal, go }) {
  const now = Date.now();
  const asked = { from: place.query.from || day(new Date(now - 89 * DAY_MS).toISOString()), to: place.query.to || day(new Date(now).toISOString()) };
  const from = field({ name: "from", label: w("st.from"), input: h("input", { type: "date", class: "input", value: asked.from }) });
  const to = field({ name: "to", label: w("st.to"), input: h("input", { type: "date", class: "input", value: asked.to }) });
  const show = h("button", { type: "button", class: "button primary", onclick: () => go("stages", { from: from.input.value, to: to.input.value }) }, w("st.show"));
  const file = (format) => h("button", { type: "button", class: "button", onclick: () => attempt(() => api.download(`${STAGES}/statistics/file`, { ...asked, format }, `stages.${format}`), w("st.done")) }, w(`st.${format}`));

  const present = section(async () => {
    const found = await api.get(STAGES, {}, { signal });
    return h("section", { class: "card stack" }, h("h2", null, w("st.now")), bars(w("st.title"), found.items.map((one) => [w(`stage.${one.stage}`), one.members])));
  }, { signal });
  const trend = section(async () => {
    const [days, chart] = await Promise.all([api.get(`${STAGES}/statistics`, asked, { signal }), api.text(`${STAGES}/statistics/chart`, asked, { signal })]);
    return h("section", { class: "card stack" }, h("h2", null, w("st.trend")), days.items.length ? drawn(chart, w("st.title")) : empty({ icon: "chart", title: w("st.none") }));
  }, { signal });
  const rules = section(async () => {
    const found = await api.get("/v1/admin/stage-rules", {}, { signal });
    return h("section", { class: "card stack" },
      h("div", { class: "row wrap" }, h("h2", { class: "grow" }, w("st.rules")), me.may("stages.write") && h("button", { type: "button", class: "button compact", onclick: () => edit(found) }, w("st.edit"))),
      h("ol", { class: "stack" }, found.rules.map((rule) => h("li", null, `${w(`stage.${rule.stage}`)}：${condition(rule)}`))));
  }, { signal });

  async function edit({ version, rules: before }) {
    const fields = before.flatMap((rule, place) => {
      const stage = { stage: w(`stage.${rule.stage}`) };
      return [
        rule.idle_days_from && { name: `idle_${place}`, label: w("st.f_idle", stage), kind: "number", value: rule.idle_days_from, required: true },
        rule.purchases_from && { name: `times_${place}`, label: w("st.f_times", stage), kind: "number", value: rule.purchases_from, required: true },
        rule.within_days && { name: `within_${place}`, label: w("st.f_within", stage), kind: "number", value: rule.within_days, required: true },
      ].filter(Boolean);
    });
    const done = await formDialog({
      title: w("st.edit"),
      fields,
      onSubmit: (values) => api.put("/v1/admin/stage-rules", {
        version,
        rules: before.map((rule, place) => ({
          ...rule,
          ...(rule.idle_days_from ? { idle_days_from: values[`idle_${place}`] } : {}),
          ...(rule.purchases_from ? { purchases_from: values[`times_${place}`] } : {}),
          ...(rule.within_days ? { within_days: values[`within_${place}`] } : {}),
        })),
      }),
    });
    if (done) { await attempt(async () => undefined, w("st.saved")); rules.reload(); present.reload(); }
  }

  return [head(w("st.title"), { actions: [file("csv"), file("xlsx")] }), h("div", { class: "filters" }, from.node, to.node, show), present, trend, rules];
}

function condition(rule) {
  const parts = [
    rule.bought === false && w("st.never"),
    rule.bought === true && w("st.ever"),
    rule.idle_days_from && w("st.idle", { days: count(rule.idle_days_from) }),
    rule.purchases_from && `${rule.within_days ? w("st.within", { days: count(rule.within_days) }) : ""}${w("st.bought", { times: count(rule.purchases_from) })}`,
    rule.joined_within_days && w("st.joined", { days: count(rule.joined_within_days) }),
  ].filter(Boolean);
  return parts.length ? parts.join("，") : w("st.else");
}
