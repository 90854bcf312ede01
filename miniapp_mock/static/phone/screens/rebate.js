/** A statement of rebates: by scheme what counted, its tier and amount; corrections; what is paid and what is carried on. */
import { fill, h } from "../../shared/dom.js";
import { count, date, money, shortDate, signedMoney } from "../../shared/format.js";
import { busy, emptyState, fact, skeleton, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";

export function rebateScreen(app) {
  const id = decodeURIComponent(location.hash.split("?")[1] || "");
  const path = `/v1/member/rebates/statements/${encodeURIComponent(id)}`;
  const node = h("div", { class: "page stack" });

  async function load() {
    fill(node, h("div", { class: "card" }, skeleton("w50", "w100", "w100")));
    try {
      const found = await app.api.get(path);
      fill(node, sums(found), ...found.parts.map(part), ...found.corrections.map(correction), download());
    } catch (error) {
      fill(node, h("div", { class: "card" }, error.status === 404
        ? emptyState({ icon: "list", title: t("rebate.gone"), action: t("rebate.back"), onAction: () => app.go("rebates", { replace: true }) })
        : trouble(error, load)));
    }
  }

  const sums = (found) => h("section", { class: "card stack" },
    h("p", { class: "row between" }, h("span", { class: "strong" }, found.title), h("span", { class: "pill" }, t(`rebate.state_${found.state}`))),
    h("dl", { class: "facts" },
      fact(t("rebate.amount"), money(found.amount_fen)),
      found.corrected_fen !== 0 && fact(t("rebate.corrected"), signedMoney(found.corrected_fen)),
      found.brought_fen !== 0 && fact(t("rebate.brought"), signedMoney(found.brought_fen)),
      fact(t("rebate.payout"), money(found.payout_fen)),
      found.carried_fen !== 0 && fact(t("rebate.carried"), signedMoney(found.carried_fen)),
      found.expires_on && fact(t("rebate.expires"), date(found.expires_on))));

  const part = (one) => h("section", { class: "card stack tight" },
    h("h2", null, one.title),
    h("p", { class: "small muted" }, one.tier < 0 ? t("rebate.below") : t("rebate.rate", { tier: one.tier + 1, rate: `${one.rate_bp / 100}%` }), one.capped && ` · ${t("rebate.capped")}`),
    !one.given && h("p", { class: "tiny muted" }, t("rebate.not_given")),
    h("dl", { class: "facts" },
      one.lines.map((line) => fact(`${shortDate(line.on)} ${line.store_id}`, money(line.fen), { look: "small muted" })),
      fact(t("rebate.counted"), money(one.base_fen)),
      fact(t("rebate.amount"), money(one.given ? one.fen : 0))),
    one.purchases > one.lines.length && h("p", { class: "tiny muted" }, t("rebate.more", { count: count(one.purchases - one.lines.length) })));

  const correction = (one) => h("section", { class: "card stack tight" },
    h("p", { class: "row between" }, h("span", { class: "strong" }, t("rebate.correction", { period: one.title })), h("span", { class: "num" }, signedMoney(one.fen))),
    h("p", { class: "tiny muted num" }, t("rebate.correction_hint", { now: money(one.now_fen), was: money(one.was_fen) })));

  function download() {
    const problem = h("p", { class: "field-error", role: "alert" });
    const button = h("button", { type: "button", class: "button soft wide", onclick: () => busy(button, get) }, t("rebate.download"));
    async function get() {
      fill(problem, "");
      try {
        const token = await app.api.accessToken();
        const file = await app.wx.downloadFile({ url: `${path}/file?format=pdf`, header: { Authorization: `Bearer ${token}` } });
        if (file.statusCode !== 200) throw Object.assign(new Error(t("error.unavailable")), { name: "NetworkError" });
        await app.wx.openDocument({ filePath: file.tempFilePath, fileType: "pdf" });
      } catch (error) {
        problem.textContent = problemText(error);
      }
    }
    return h("section", { class: "card stack" }, problem, button);
  }

  load();
  return { title: t("rebate.statement"), node, parent: "rebates" };
}
