/** Sends an attempt and shows, once it takes longer, that the outcome is not known yet and what happens about it. */
import { h } from "/static/shared/dom.js";
import * as attempts from "./attempts.js";
import { button, openDialog } from "./dialogs.js";
import { picture } from "./icons.js";
import { t, troubleText } from "./texts.js";

/** The attempt's answer; throws the refusal, or `PutAside` when the cashier sets it aside. */
export async function sendShown(attempt, { resumed = false } = {}) {
  const ending = new AbortController();
  const shown = new RetryDialog(attempt, () => ending.abort());
  try {
    return await attempts.send(attempt, { signal: ending.signal, resumed, onWait: (wait) => shown.waiting(wait), onSend: () => shown.sending() });
  } finally {
    shown.close();
  }
}

class RetryDialog {
  constructor(attempt, onAside) {
    this.attempt = attempt;
    this.onAside = onAside;
    this.what = h("p", { role: "status" });
    this.when = h("p", { class: "small muted num" });
    this.detail = h("p", { class: "small muted" });
  }

  open() {
    const { attempt } = this;
    this.dialog = openDialog({
      firm: true,
      className: "retry",
      title: t({ refund: "retry.refund_title", sale: "retry.title" }[attempt.kind] || "retry.errand_title"),
      body: [
        h("div", { class: "retry-mark" }, picture("offline", 40)), this.what, this.detail, this.when,
        h("p", { class: "tiny muted num" }, t("retry.order", { order: attempt.memo.orderNo }), " · ", t("retry.one_key")),
      ],
      actions: [
        button(t("retry.aside"), this.onAside, "", { id: "retry-aside" }),
        button(t("retry.now"), () => this.skip?.(), "primary", { id: "retry-now", autofocus: true }),
      ],
    });
  }

  waiting({ tries, problem, untilMs, offline, skip }) {
    if (!this.dialog) this.open();
    this.skip = skip;
    this.what.textContent = t(offline || !problem ? "retry.offline" : "retry.busy");
    this.detail.textContent = problem ? troubleText(problem).title : "";
    clearInterval(this.ticking);
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((untilMs - Date.now()) / 1000));
      this.when.textContent = `${t("retry.tries", { tries })}，${t("retry.next", { seconds })}`;
    };
    tick();
    this.ticking = setInterval(tick, 250);
  }

  sending() {
    clearInterval(this.ticking);
    this.skip = null;
    if (this.dialog) this.when.textContent = t("retry.sending");
  }

  close() {
    clearInterval(this.ticking);
    this.dialog?.close();
  }
}
