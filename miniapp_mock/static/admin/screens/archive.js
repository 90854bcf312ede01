/**
 * One member's archive of personal data, handed out at the counter: asked for with the member there, waited for, granted (perhaps by
 * a second person), and downloaded by whoever asked. What is the next step is one button; the screen looks itself whether it is there.
 */
import { fill, h } from "/static/shared/dom.js";
import { handoutColumns, over } from "../handout_words.js";
import { attempt, confirm, toast } from "../parts/dialogs.js";
import { formDialog } from "../parts/form.js";
import { stamp } from "../parts/format.js";
import { busy, empty, head, pill, section } from "../parts/states.js";
import { table } from "../parts/table.js";
import { words } from "../texts.js";

const w = words({
  "archive.title": "当面交付个人数据",
  "archive.note": "会员在场并要求时办理；文件只交给会员本人，交付后请从电脑上删除",
  "archive.member": "会员资料",
  "archive.all": "全部记录",
  "archive.refresh": "刷新",
  "archive.of": "会员 {no}",
  "archive.none": "没有可交付的个人数据",
  "archive.none_hint": "申请后自动整理，一般几分钟内完成；每位会员每天一次",
  "archive.ask": "申请个人数据",
  "archive.reason": "原因",
  "archive.asked": "已申请，正在整理",
  "archive.step_making": "正在整理：{lists} / {lists_all}，完成后可以交付",
  "archive.step_ready": "已整理好，可交付至 {until}",
  "archive.step_waiting": "等待第二人在“审批”里同意；同意后由您在这里下载",
  "archive.step_granted": "可以下载，至 {until}",
  "archive.step_fetched": "已于 {at} 下载",
  "archive.state_making": "整理中",
  "archive.state_ready": "待交付",
  "archive.state_waiting": "待审批",
  "archive.state_granted": "待下载",
  "archive.state_fetched": "已交付",
  "archive.hand_out": "当面交付",
  "archive.code": "会员动态码",
  "archive.code_note": "扫会员手机上的会员码；没有手机的留空，凭证件办理，由第二人审批",
  "archive.papers": "说明",
  "archive.papers_note": "核对了什么证件、申请书存放在哪里；不要写证件号码和姓名",
  "archive.approvals": "我的申请",
  "archive.download": "下载",
  "archive.downloaded": "已下载，请当面交给会员",
  "archive.again": "重新下载",
  "archive.again_ask": "重新下载？",
  "archive.again_text": "只在上一次没有保存成功时需要。每次下载都记入操作日志。",
  "archive.handed": "交付记录",
  "archive.handed_none": "还没有交付过",
});

const PRIVACY = "/v1/admin/privacy";
const LOOK_EVERY_MS = 3000;
const MOST_LOOKS = 400; // twenty minutes; then somebody presses for it
const LOOKS = { making: "gold", waiting: "gold" };

export async function open({ api, me, place, signal, href }) {
  const id = place.query.member || "";
  const path = `/v1/admin/members/${encodeURIComponent(id)}/archives`;
  const status = h("p", { class: "sr-only", role: "status" });
  let drawn = "";
  let timer = 0;
  let looks = 0;

  const read = () => api.get(path, {}, { signal });
  const stage = section(async () => draw(await read()), { signal, className: "stack" });

  /** Look again and draw what is new; who was at a button comes to that of the next step. */
  async function look() {
    const seen = await read();
    if (signal.aborted) return;
    if (JSON.stringify(seen) === drawn) { later(seen); return; }
    const inside = stage.contains(document.activeElement) || document.activeElement === document.body;
    fill(stage, draw(seen));
    if (inside) stage.querySelector(".button.primary")?.focus();
  }
  function later(seen) {
    clearTimeout(timer);
    if (!["making", "waiting"].includes(stepOf(seen, me).name) || looks >= MOST_LOOKS) return;
    looks += 1;
    timer = setTimeout(() => {
      if (signal.aborted) return;
      if (document.querySelector("dialog[open]")) later(seen);
      else look().catch((error) => { if (error.name !== "ApiError" && error.name !== "NetworkError") throw error; later(seen); });
    }, LOOK_EVERY_MS);
  }
  const begin = () => { looks = 0; return attempt(look); };

  async function ask() {
    const fields = [{ name: "reason", label: w("archive.reason"), kind: "lines", required: true, most: 200 }];
    const made = await formDialog({ title: w("archive.ask"), note: w("archive.note"), fields, submit: w("archive.ask"), onSubmit: (values) => api.post(`${PRIVACY}/exports`, { member_id: id, ...values }) });
    if (!made) return;
    toast(w("archive.asked"));
    await begin();
  }
  async function handOut(ready) {
    const key = api.newKey();
    const fields = [
      { name: "code", label: w("archive.code"), note: w("archive.code_note"), most: 40 },
      { name: "reason", label: w("archive.papers"), note: w("archive.papers_note"), kind: "lines", required: true, most: 200 },
    ];
    const onSubmit = ({ code, reason }) => api.post(`${PRIVACY}/exports/${encodeURIComponent(ready.id)}/hand-outs`, { code: code && code.replace(/\s/g, ""), reason }, { key });
    if (await formDialog({ title: w("archive.hand_out"), note: w("archive.note"), fields, submit: w("archive.hand_out"), onSubmit })) await begin();
  }
  async function fetchIt(one, button) {
    if (one.state === "fetched" && !(await confirm(w("archive.again_ask"), { content: w("archive.again_text"), confirmText: w("archive.again") }))) return;
    await busy(button, () => attempt(() => api.take(`${PRIVACY}/hand-outs/${encodeURIComponent(one.id)}/archive`, `personal-data-${one.export_id}.zip`), w("archive.downloaded")));
    await begin(); // a refusal has its reason in what stands there now
  }

  const press = (text, run, kind = "primary") => {
    const button = h("button", { type: "button", class: `button ${kind}`.trim(), onclick: () => run(button) }, text);
    return button;
  };
  /** The button of a step, for who may press it. */
  function buttonOf({ name, ready, mine }) {
    if (name === "waiting") return h("a", { class: "button", href: href("approvals", { view: "mine" }) }, w("archive.approvals"));
    if (!me.may("privacy.serve")) return null;
    if (name === "ready") return press(w("archive.hand_out"), () => handOut(ready));
    if (name === "granted") return press(w("archive.download"), (button) => fetchIt(mine, button));
    if (name === "fetched") return press(w("archive.again"), (button) => fetchIt(mine, button), "");
    return null;
  }

  function draw(seen) {
    drawn = JSON.stringify(seen);
    const step = stepOf(seen, me);
    const text = step.name === "none" ? w("archive.none") : w(`archive.step_${step.name}`, step.said);
    status.textContent = text;
    later(seen);
    const card = step.name === "none"
      ? h("div", { class: "card" }, empty({ icon: "lock", title: text, hint: w("archive.none_hint"), action: me.may("privacy.serve") && press(w("archive.ask"), ask) }))
      : h("section", { class: "card stack" }, h("div", { class: "row" }, h("h2", { class: "grow num" }, w("archive.of", { no: seen.member_no })), pill(w(`archive.state_${step.name}`), LOOKS[step.name] || "brand")), h("p", null, text), h("div", { class: "row" }, buttonOf(step)));
    const handed = table({ label: w("archive.handed"), signal, load: async () => ({ items: seen.hand_outs }), none: { icon: "inbox", title: w("archive.handed_none") }, columns: handoutColumns() });
    return [card, h("h2", { class: "section-title" }, w("archive.handed")), handed];
  }

  const actions = [
    me.may("members.read") && h("a", { class: "button", href: href("member", { id }) }, w("archive.member")),
    h("a", { class: "button", href: href("privacy", { tab: "handouts" }) }, w("archive.all")),
    h("button", { type: "button", class: "button", onclick: begin }, w("archive.refresh")),
  ];
  return [head(w("archive.title"), { note: w("archive.note"), actions: actions.filter(Boolean) }), status, stage];
}

/** Which step a member's archive is at for whoever looks: `{ name, said, ready?, mine? }`. */
function stepOf(seen, me) {
  const ready = seen.exports.find((one) => one.state === "ready" && !over(one.until));
  const mine = ready && seen.hand_outs.find((one) => one.export_id === ready.id && one.by_staff === me.id && (one.state === "waiting" || (one.until && !over(one.until))));
  if (mine) return { name: mine.state, said: { until: mine.until && stamp(mine.until), at: mine.fetched_at && stamp(mine.fetched_at) }, ready, mine };
  if (ready) return { name: "ready", said: { until: stamp(ready.until) }, ready };
  const making = seen.exports.find((one) => one.state === "waiting");
  return making ? { name: "making", said: making } : { name: "none", said: {} };
}
