/** The screen while a sale waits for the member's phone: what is left of the time, the outcome, a way to cancel. */
import { h, s } from "/static/shared/dom.js";
import { countdown, money } from "/static/shared/format.js";
import * as api from "./api.js";
import * as attempts from "./attempts.js";
import { serverNow } from "./clock.js";
import { button, openDialog } from "./dialogs.js";
import { announce } from "./notices.js";
import { picture } from "./icons.js";
import { t } from "./texts.js";

const POLL_MS = 1000;
const TTL_S = 120;
const LATE_MS = 3000; // the server's own clock decides; ask a little longer before believing ours
const RADIUS = 54;
const ROUND = 2 * Math.PI * RADIUS;

/** Resolves with the sale once it waits no more. */
export async function awaitPhone(sale, memo) {
  const screen = new Waiting(sale, memo);
  try {
    return await screen.outcome();
  } finally {
    screen.close();
  }
}

/** What the member's phone asks for: the coupons have paid already. */
const leftAfterCoupons = ({ payable_fen: payable, tenders = [] }) =>
  tenders.filter((tender) => tender.type === "coupon").reduce((left, tender) => left - tender.amount_fen, payable);

class Waiting {
  constructor(sale, memo) {
    this.sale = sale;
    this.ends = Date.parse(sale.expires_at);
    this.ring = s("circle", { class: "ring-left", cx: 60, cy: 60, r: RADIUS, "stroke-dasharray": ROUND, "stroke-dashoffset": 0 });
    this.left = h("span", { class: "ring-text num", role: "timer" });
    const due = leftAfterCoupons(sale);
    this.status = h("p", { class: "small danger", role: "status" });
    this.cancel = button(t("wait.cancel"), () => this.giveUp(), "danger", { id: "wait-cancel" });
    this.dialog = openDialog({
      firm: true,
      className: "waiting",
      title: t("wait.title"),
      body: [
        h("div", { class: "ring" },
          s("svg", { viewBox: "0 0 120 120", width: 132, height: 132, "aria-hidden": "true" },
            s("circle", { class: "ring-all", cx: 60, cy: 60, r: RADIUS }),
            this.ring,
          ),
          this.left),
        h("p", { class: "waiting-sum num" }, money(due)),
        h("p", { class: "row tight center-row" },
          picture("phone", 20),
          h("span", { class: "strong" }, memo.member?.name || ""),
          memo.member?.level ? h("span", { class: "pill gold" }, memo.member.level.name) : null,
        ),
        h("p", { class: "small muted" }, t("wait.text", { amount: money(due) })),
        memo.member?.entry === "typed" ? h("p", { class: "tiny muted" }, t("wait.why_typed")) : null,
        this.status,
      ],
      actions: [this.cancel],
    });
    this.dialog.element.tabIndex = -1; // an Enter too many must not cancel
    this.dialog.element.focus();
    announce(t("wait.title"));
    this.ticking = setInterval(() => this.tick(), 200);
    this.tick();
  }

  tick() {
    const seconds = Math.max(0, (this.ends - serverNow()) / 1000);
    this.left.textContent = countdown(seconds);
    this.ring.setAttribute("stroke-dashoffset", ROUND * (1 - Math.min(1, seconds / TTL_S)));
  }

  async outcome() {
    while (this.sale.status === "awaiting_confirmation") {
      await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
      await this.poll();
    }
    return this.sale;
  }

  async poll() {
    try {
      const now = await api.getSale(this.sale.id);
      if (this.sale.status === "awaiting_confirmation") this.sale = now;
      this.status.textContent = "";
      if (now.status === "awaiting_confirmation" && serverNow() > this.ends + LATE_MS) this.status.textContent = t("common.loading");
    } catch {
      this.status.textContent = t("wait.line");
    }
  }

  /** Cancel; where the member was faster, the sale stands and is shown. */
  async giveUp() {
    this.cancel.disabled = true;
    this.cancel.textContent = t("wait.cancelling");
    this.cancelling ||= { key: `cancel-${this.sale.id}`, path: `/v1/pos/sales/${encodeURIComponent(this.sale.id)}/cancel`, body: "{}" };
    try {
      const cancelled = await attempts.send(this.cancelling, { onWait: () => { this.status.textContent = t("wait.line"); } });
      this.sale = cancelled;
    } catch {
      await this.poll();
      this.cancel.disabled = false;
      this.cancel.textContent = t("wait.cancel");
    }
  }

  close() {
    clearInterval(this.ticking);
    this.dialog.close();
  }
}
