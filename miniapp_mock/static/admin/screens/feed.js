/** One subscriber: what it sees, how its calls went, its key and its secret. */
import { h } from "/static/shared/dom.js";
import { attempt, confirm, tell, toast } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { count, stamp } from "../parts/format.js";
import { head, pill } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";
import { shownOnce } from "../staff/once.js";
import { asked, fieldOptions, standing } from "./feeds.js";

const w = words({
  "feed.back": "返回",
  "feed.change": "修改",
  "feed.pause": "暂停",
  "feed.resume": "恢复",
  "feed.ping": "测试推送",
  "feed.ping_ok": "对方已应答 {status}，用时 {ms} 毫秒",
  "feed.ping_bad": "未成功：{what}",
  "feed.key": "更换密钥",
  "feed.key_ask": "更换后，旧密钥还可用 24 小时。",
  "feed.secret": "更换签名密钥",
  "feed.secret_ask": "更换后 24 小时内，推送同时带新旧两个签名。",
  "feed.replay": "重新推送",
  "feed.replay_after": "从此编号之后",
  "feed.replay_note": "当前已推送到 {delivered}",
  "feed.end": "终止",
  "feed.end_ask": "终止后密钥立即失效，不再推送，且不可恢复。",
  "feed.ended": "已终止",
  "feed.saved": "已保存",
  "feed.url": "推送地址",
  "feed.pull": "仅拉取",
  "feed.fields": "可见字段",
  "feed.delivered": "已推送到",
  "feed.behind": "待推送",
  "feed.since": "自何时失败",
  "feed.error": "最近一次失败",
  "feed.next": "下次尝试",
  "feed.calls": "推送记录",
  "feed.at": "时间",
  "feed.numbers": "编号",
  "feed.answer": "应答",
  "feed.took": "用时",
  "feed.ms": "{ms} 毫秒",
  "feed.none": "还没有推送",
});

export async function open({ api, place, signal, go, href }) {
  const path = `/v1/admin/feeds/subscribers/${encodeURIComponent(place.query.id || "")}`;
  const { fields } = await api.get("/v1/admin/feeds/subscribers", {}, { signal });
  const node = h("div", { class: "stack" });
  const names = new Map(fieldOptions(fields));
  const calls = table({
    label: w("feed.calls"), signal, none: { icon: "exchange", title: w("feed.none") },
    load: ({ cursor }) => api.get(`${path}/deliveries`, { cursor, limit: 50 }, { signal }),
    columns: [
      { title: w("feed.at"), cell: (one) => h("span", { class: "num" }, stamp(one.at)) },
      { title: w("feed.numbers"), number: true, cell: (one) => `${one.first}–${one.last}` },
      { title: w("feed.answer"), cell: (one) => (one.status >= 200 && one.status < 300 ? pill(String(one.status), "brand") : pill(one.error || String(one.status), "danger")) },
      { title: w("feed.took"), number: true, hide: "narrow", cell: (one) => w("feed.ms", { ms: count(one.took_ms) }) },
    ],
  });

  const changed = (one, change) => ({ version: one.version, name: one.name, fields: one.fields, url: one.url, active: one.state === "active", ...change });

  async function refresh() {
    show(await api.get(path, {}, { signal }));
    calls.reload();
  }

  async function save(one, change) {
    if (await attempt(() => api.put(path, changed(one, change)), w("feed.saved"))) await refresh();
  }

  async function change(one) {
    const done = await formDialog({ title: w("feed.change"), fields: asked(fields, one), onSubmit: (values) => api.put(path, changed(one, values)) });
    if (done) await refresh();
  }

  async function ping() {
    await attempt(async () => {
      const { status, error, took_ms: ms } = await api.post(`${path}/ping`, {}, { again: true });
      toast(error ? w("feed.ping_bad", { what: error }) : w("feed.ping_ok", { status, ms }), 4000);
    });
  }

  async function renew(what) {
    if (!(await confirm(w(`feed.${what}`), { content: w(`feed.${what}_ask`), confirmText: w(`feed.${what}`) }))) return;
    await attempt(async () => {
      const made = await api.post(`${path}/${what}`, {});
      await tell(w(`feed.${what}`), shownOnce(w(`feed.${what}`), made[what]));
    });
    await refresh();
  }

  async function replay(one) {
    const done = await formDialog({
      title: w("feed.replay"), note: w("feed.replay_note", { delivered: one.delivered }),
      fields: [{ name: "after", label: w("feed.replay_after"), kind: "number", value: one.delivered, required: true }],
      onSubmit: (values) => api.post(`${path}/replay`, values),
    });
    if (done) await refresh();
  }

  async function end() {
    if (!(await confirm(w("feed.end"), { content: w("feed.end_ask"), confirmText: w("feed.end"), danger: true }))) return;
    if (await attempt(() => api.remove(path), w("feed.ended"))) go("feeds");
  }

  function fact(name, value) {
    return h("div", { class: "fact" }, h("dt", null, name), h("dd", null, value));
  }

  function show(one) {
    const button = (text, onclick, kind = "") => h("button", { type: "button", class: `button ${kind}`.trim(), onclick }, text);
    node.replaceChildren(
      head(one.name, { actions: [h("a", { class: "button", href: href("feeds") }, w("feed.back")), button(w("feed.change"), () => change(one), "primary"), one.state === "active" ? button(w("feed.pause"), () => save(one, { active: false })) : button(w("feed.resume"), () => save(one, { active: true }))] }),
      h("section", { class: "card" },
        h("p", null, standing(one)),
        h("dl", { class: "facts" },
          fact(w("feed.url"), one.url || w("feed.pull")),
          fact(w("feed.fields"), one.fields.map((code) => names.get(code) || code).join("、")),
          one.url && [fact(w("feed.delivered"), String(one.delivered)), fact(w("feed.behind"), count(one.behind))],
          one.failing_since && fact(w("feed.since"), stamp(one.failing_since)),
          one.last_error && fact(w("feed.error"), one.last_error),
          one.tries > 0 && one.due_at && fact(w("feed.next"), stamp(one.due_at)),
        ),
        h("div", { class: "form-actions" }, one.url && [button(w("feed.ping"), ping), button(w("feed.replay"), () => replay(one)), button(w("feed.secret"), () => renew("secret"))], button(w("feed.key"), () => renew("key")), button(w("feed.end"), end, "danger")),
      ),
      h("h2", null, w("feed.calls")),
      calls,
    );
  }

  show(await api.get(path, {}, { signal }));
  return [node];
}
