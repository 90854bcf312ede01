/** The screen after a sale: paid, change to give, what was earned, the receipt. Enter goes on. */
import { fill, h } from "/static/shared/dom.js";
import { count, money } from "/static/shared/format.js";
import { giveBack } from "./gift_back.js";
import { picture } from "./icons.js";
import { announce, dismiss } from "./notices.js";
import { print, slip, tenderName } from "./receipt.js";
import { keepLast } from "./state.js";
import { t } from "./texts.js";
import * as views from "./views.js";

const place = h("main", { class: "done", id: "result" });

function fact(label, value, look = "") {
  return h("div", { class: "fact" }, h("dt", { class: "muted small" }, label), h("dd", { class: `num strong ${look}` }, value));
}

function draw(data) {
  const next = h("button", { class: "button primary grow", type: "button", id: "next-sale", onclick: () => views.show("till"), onkeydown: (event) => { if (event.repeat) event.preventDefault(); } },
    t("result.next"),
    h("kbd", null, "Enter"),
  );
  fill(place,
    h("section", { class: "card result-main" },
      h("div", { class: "result-head" },
        h("div", { class: "result-mark" }, picture("check", 34)),
        h("div", null, h("h1", { class: "result-title" }, t("result.done")), h("p", { class: "muted small num" }, data.orderNo))),
      h("div", { class: "result-sums" },
        h("div", { class: "result-sum" },
          h("span", { class: "muted" }, t(data.collect > 0 ? "receipt.payable" : "result.paid_label")),
          h("output", { class: "result-paid num", id: "result-paid" }, money(data.payable)),
        ),
        data.collect > 0 ? h("div", { class: "result-sum change-box" }, h("span", null, t("result.collect")), h("output", { class: "result-change num" }, money(data.collect))) : null,
        data.change > 0 ? h("div", { class: "result-sum change-box" }, h("span", null, t("result.change")), h("output", { class: "result-change num", id: "result-change" }, money(data.change))) : null),
      data.saved ? h("p", { class: "small brand num" }, t("result.saved", { amount: money(data.saved) })) : null,
      h("dl", { class: "facts" },
        data.tenders.map((tender) => fact(tenderName(tender), money(tender.amount_fen))),
        data.cashGiven ? fact(t("receipt.given"), money(data.cashGiven)) : null),
      h("dl", { class: "facts soft" },
        
        data.balances ? [fact(t("result.earned"), `+${count(data.earned)}`, "gold"), fact(t("result.stored"), money(data.balances.stored_fen), "brand"), fact(t("result.points"), count(data.balances.points), "gold")] : null,
        Number.isFinite(data.giftLeft) ? fact(t("result.gift_left"), money(data.giftLeft), "brand") : null),
      h("div", { class: "result-foot" },
        h("button", { class: "button", type: "button", id: "print-receipt", onclick: () => print(data) }, picture("printer", 20), t("result.print"), h("kbd", null, "P")), data.charge ? backButton(data.charge) : null, next)),
    h("aside", { class: "paper", "aria-label": t("result.print") }, slip(data)));
  return next;
}

/** What a gift card paid without a member goes back from here. */
function backButton(charge) {
  const back = h("button", { class: "button", type: "button", id: "gift-back", onclick: async () => {
    back.disabled = true;
    back.disabled = await giveBack(charge);
  } }, picture("refund", 20), t("gift.back"));
  return back;
}

/** Show a receipt and keep it for a later print. */
export async function showResult(data) {
  keepLast(data);
  open(data);
  const values = { amount: money(data.payable), change: money(data.change) };
  announce(t(data.change > 0 ? "result.spoken_change" : "result.spoken", values));
}

/** Show a receipt again. */
export function open(data) {
  dismiss();
  views.show("result", data);
}

function onKey(event) {
  if (views.current() !== "result" || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "p" || event.key === "P") document.getElementById("print-receipt").click();
  else if (event.key === "Escape") views.show("till");
}

export function build() {
  views.add("result", place, { enter: (data) => draw(data).focus(), leave: () => place.replaceChildren() });
  document.addEventListener("keydown", onKey);
  return place;
}
