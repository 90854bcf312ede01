/** 客服设置: what the robot goes by (rules, texts), and the answers that staff keep ready. */
import { fill, h } from "/static/shared/dom.js";
import { w } from "../chats/guide_words.js";
import { attempt, confirm, toast } from "../parts/dialogs.js";
import { form, formDialog } from "../parts/form.js";
import { stamp } from "../parts/format.js";
import { head, pill, section } from "../parts/states.js";
import { table } from "../parts/table.js";

const BASE = "/v1/admin/conversations";
const ACTS = ["say", "staff", "wechat"];
const MATCHES = ["contains", "exact"];
const LOOKS = { say: "brand", staff: "gold", wechat: "" };
const MOST_SAID = 600;

const wordsOf = (text) => (text || "").split(/[\n,，、]/).map((word) => word.trim()).filter(Boolean);
const cardOf = ({ card_title: title, card_page: page }) => (title || page ? { title: title || "", page: page || "" } : null);
const named = (what, name) => `${what} ${name}`;

export async function open({ api, me, place, signal, note, go, href, keys }) {
  const office = !me.store_id;
  const views = [me.may("conversations.rules") && "rules", me.may("conversations.rules") && "texts", "canned", me.may("conversations.rules") && "changes"].filter(Boolean);
  let view = views.includes(place.query.view) ? place.query.view : views[0];
  const tabs = h("nav", { class: "tabs", "aria-label": w("guide.views") });
  const body = h("div", { class: "stack" });
  const show = { rules: showRules, texts: showTexts, canned: showCanned, changes: showChanges };

  function look(next) {
    view = next;
    note({ view });
    draw();
  }

  function draw() {
    fill(tabs, views.map((one) => h("button", { type: "button", class: "tab", "aria-current": one === view && "page", onclick: () => look(one) }, w(`guide.${one}`))));
    fill(body, show[view]());
  }

  const button = (what, name, run, look_ = "soft") => h("button", { type: "button", class: `button compact ${look_}`, "aria-label": named(w(`guide.${what}`), name), onclick: run }, w(`guide.${what}`));
  const adder = (run) => h("button", { type: "button", class: "button primary letter-word", onclick: run }, w("guide.add"));

  async function remove(path, name, list) {
    if (!(await confirm(w("guide.remove_ask", { name }), { danger: true, confirmText: w("guide.remove") }))) return;
    await attempt(() => api.remove(path), w("guide.removed"));
    list.reload();
  }

  // -- rules

  function ruleFields(rule) {
    return [
      { name: "words", label: w("guide.words"), note: w("guide.words_note"), kind: "lines", rows: 3, required: true, value: rule?.words.join("\n") },
      { name: "match", label: w("guide.match"), kind: "choice", value: rule?.match, options: MATCHES.map((one) => [one, w(`guide.match_${one}`)]) },
      { name: "act", label: w("guide.act"), kind: "choice", value: rule?.act, options: ACTS.map((one) => [one, w(`guide.act_${one}`)]) },
      { name: "text", label: w("guide.text"), kind: "lines", most: MOST_SAID, value: rule?.text },
      { name: "card_title", label: w("guide.card_title"), most: 40, value: rule?.card?.title },
      { name: "card_page", label: w("guide.card_page"), note: w("guide.card_note"), most: 128, value: rule?.card?.page },
      { name: "priority", label: w("guide.priority"), note: w("guide.priority_note"), kind: "number", required: true, value: rule?.priority ?? 100 },
      { name: "active", label: w("guide.active"), kind: "tick", value: rule?.active ?? true },
    ];
  }

  const ruleOf = (values) => ({ words: wordsOf(values.words), match: values.match, act: values.act, text: values.text || "", card: cardOf(values), priority: values.priority, active: values.active });

  async function writeRule(rule, list) {
    const send = (values) => (rule ? api.put(`${BASE}/rules/${rule.id}`, ruleOf(values)) : api.post(`${BASE}/rules`, ruleOf(values)));
    if (await formDialog({ title: w(rule ? "guide.edit_rule" : "guide.add_rule"), fields: ruleFields(rule), onSubmit: send })) list.reload();
  }

  function trial(list) {
    const told = h("p", { class: "small", role: "status" });
    return h("div", { class: "card" }, form({
      fields: [{ name: "text", label: w("guide.try"), note: w("guide.try_note"), required: true, most: MOST_SAID }], submit: w("guide.try_do"),
      onSubmit: async ({ text }) => {
        const { act, decision } = await api.post(`${BASE}/rules/try`, { text }, { again: true });
        told.textContent = w("guide.tried", { act: w(`guide.act_${act}`), why: why(decision, list.items()) });
      },
    }), told);
  }

  function why(decision, rules) {
    const [what, name] = decision.split(":");
    if (what !== "rule") return w(`guide.by_${name || what}`);
    const rule = rules.find((one) => one.id === name);
    return w("guide.by_rule", { words: rule ? rule.words.join("、") : name });
  }

  function showRules() {
    const list = table({
      label: w("guide.rules"), signal, none: { icon: "chat", title: w("guide.none_rules"), hint: w("guide.none_rules_hint") },
      load: () => api.get(`${BASE}/rules`, {}, { signal }),
      columns: [
        { title: w("guide.words"), cell: (rule) => h("div", { class: "letter-cell" }, h("span", { class: "strong" }, rule.words.join("、")), h("span", { class: "tiny muted" }, w(`guide.match_${rule.match}`))) },
        { title: w("guide.act"), cell: (rule) => pill(w(`guide.act_${rule.act}`), LOOKS[rule.act]) },
        { title: w("guide.text"), width: "wide", hide: "narrow", cell: (rule) => h("span", { class: "small" }, rule.text, rule.card && ` ${w("guide.with_card", { title: rule.card.title })}`) },
        { title: w("guide.priority"), number: true, hide: "narrow", cell: (rule) => String(rule.priority) },
        { title: w("guide.state"), cell: (rule) => h("span", { class: rule.active ? "letter-word" : "letter-word muted" }, w(rule.active ? "guide.on" : "guide.off")) },
        { title: w("guide.actions"), cell: (rule) => h("div", { class: "row-actions letter-word" },
          button("edit", rule.words[0], () => writeRule(rule, list)),
          button("remove", rule.words[0], () => remove(`${BASE}/rules/${rule.id}`, rule.words[0], list), "")) },
      ],
    });
    return [h("div", { class: "row between" }, h("p", { class: "small muted grow" }, w("guide.rules_note")), adder(() => writeRule(null, list))), list, trial(list)];
  }

  // -- texts

  function showTexts() {
    return section(async () => {
      const texts = await api.get(`${BASE}/texts`, {}, { signal });
      const fields = ["welcome", "fallback", "queued", "closed"].map((name) => ({
        name, label: w(`guide.text_${name}`), note: w(`guide.text_${name}_note`), kind: "lines", rows: 3, most: MOST_SAID, value: texts[name], required: name === "fallback" || name === "queued",
      }));
      const save = async (values) => {
        await api.put(`${BASE}/texts`, Object.fromEntries(Object.entries(values).map(([name, text]) => [name, text || ""])));
        toast(w("guide.saved"));
      };
      return h("div", { class: "card" }, form({ fields, onSubmit: save }));
    });
  }

  // -- canned answers

  const writes = (answer) => me.may("conversations.lead") && (office || answer.store_id === me.store_id);

  async function writeCanned(answer, list) {
    const fields = [
      { name: "title", label: w("guide.title_of"), required: true, most: 40, value: answer?.title },
      { name: "text", label: w("guide.text"), kind: "lines", required: true, most: MOST_SAID, value: answer?.text },
      { name: "sort", label: w("guide.sort"), note: w("guide.sort_note"), kind: "number", value: answer?.sort ?? 0 },
      office && { name: "store_id", label: w("guide.store"), note: w("guide.store_note"), most: 16, value: answer?.store_id },
    ].filter(Boolean);
    const send = (values) => {
      const said = { title: values.title, text: values.text, sort: values.sort ?? 0, store_id: office ? values.store_id : me.store_id };
      return answer ? api.put(`${BASE}/canned/${answer.id}`, said) : api.post(`${BASE}/canned`, said);
    };
    if (await formDialog({ title: w(answer ? "guide.edit_canned" : "guide.add_canned"), fields, onSubmit: send })) list.reload();
  }

  function showCanned() {
    const list = table({
      label: w("guide.canned"), signal, none: { icon: "chat", title: w("guide.none_canned"), hint: w("guide.none_canned_hint") },
      load: () => api.get(`${BASE}/canned`, {}, { signal }),
      columns: [
        { title: w("guide.title_of"), cell: (answer) => h("span", { class: "strong" }, answer.title) },
        { title: w("guide.text"), width: "wide", cell: (answer) => h("span", { class: "small" }, answer.text) },
        { title: w("guide.whose"), cell: (answer) => (answer.store_id ? pill(answer.store_id) : pill(w("guide.chain"), "brand")) },
        { title: w("guide.actions"), cell: (answer) => writes(answer) && h("div", { class: "row-actions letter-word" },
          button("edit", answer.title, () => writeCanned(answer, list)),
          button("remove", answer.title, () => remove(`${BASE}/canned/${answer.id}`, answer.title, list), "")) },
      ],
    });
    return [h("div", { class: "row between" }, h("p", { class: "small muted grow" }, w("guide.canned_note")), me.may("conversations.lead") && adder(() => writeCanned(null, list))), list];
  }

  // -- who changed what

  function showChanges() {
    const of = ["rules", "texts", "canned"];
    const load = async () => {
      const found = await Promise.all(of.map((one) => api.get(`${BASE}/changes`, { of: one }, { signal })));
      const items = found.flatMap((page, number) => page.items.map((item) => ({ ...item, of: of[number] })));
      return { items: items.sort((a, b) => (a.at < b.at ? 1 : -1)) };
    };
    return table({
      label: w("guide.changes"), signal, none: { icon: "chat", title: w("guide.none_changes") }, load,
      columns: [
        { title: w("guide.at"), cell: (item) => h("span", { class: "num" }, stamp(item.at)) },
        { title: w("guide.of"), cell: (item) => w(`guide.${item.of}`) },
        { title: w("guide.what"), cell: (item) => w(`guide.did_${item.action}`) },
        { title: w("guide.text"), width: "wide", hide: "narrow", cell: (item) => h("span", { class: "small" }, (item.detail.words || []).join("、") || item.detail.title || item.detail.welcome || item.detail.id || "") },
        { title: w("guide.who"), cell: (item) => h("span", { class: "num tiny" }, item.staff_id) },
      ],
    });
  }

  keys({ b: [w("guide.back"), () => go("chats")] });
  draw();
  return [head(w("guide.title"), { note: w("guide.note"), actions: h("a", { class: "button", href: href("chats") }, w("guide.back")) }), tabs, body];
}
