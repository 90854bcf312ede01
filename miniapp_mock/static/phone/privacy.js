/** What the member agreed to, their archive, and leaving. */
import { fill, h } from "../shared/dom.js";
import { dayTime } from "../shared/format.js";
import { openDialog } from "../shared/dialog.js";
import { busy } from "./parts.js";
import { problemText, t } from "./texts.js";

const PATH = "/v1/member/privacy";

export function createPrivacy(app) {
  const privacy = {
    consents: () => app.api.get(`${PATH}/consents`),
    say: (items) => app.api.put(`${PATH}/consents`, { items: items.map(({ purpose, granted, version }) => ({ purpose, granted, version })) }),
    exports: () => app.api.get(`${PATH}/exports`),
    askExport: () => app.api.post(`${PATH}/exports`),
    erasure: () => app.api.get(`${PATH}/erasure`),
    leave: (body) => app.api.post(`${PATH}/erasure`, body),
    stay: () => app.api.post(`${PATH}/erasure/withdraw`),

    /** Fetch an archive and open it. */
    async download(id) {
      const token = await app.api.accessToken();
      const file = await app.wx.downloadFile({ url: `${PATH}/exports/${encodeURIComponent(id)}/archive`, header: { Authorization: `Bearer ${token}` } });
      if (file.statusCode !== 200) throw Object.assign(new Error(t("error.unavailable")), { name: "NetworkError" });
      await app.wx.openDocument({ filePath: file.tempFilePath, fileType: "zip" });
    },

    /** At the opening: ask for what is newer than what was agreed to, and say that the account is about to go. */
    async arrive() {
      const { items, erasure_due_at: due } = await privacy.consents();
      const asked = items.filter((item) => item.asks);
      if (asked.length) askAgain(app, asked);
      else if (due) sayGoing(app, due);
    },
  };
  return privacy;
}

function sayGoing(app, due) {
  const look = () => { dialog.close(); app.go("leave"); };
  const body = h("div", { class: "sheet-body stack" },
    h("h2", { class: "sheet-title center num" }, t("leave.wait", { time: dayTime(due) })),
    h("p", { class: "small muted center" }, t("leave.wait_hint")),
    h("button", { type: "button", class: "button primary wide", onclick: look }, t("leave.look")),
    h("button", { type: "button", class: "button plain wide", onclick: () => dialog.close() }, t("leave.known")));
  const dialog = openDialog(body, { label: t("leave.title") });
}

function askAgain(app, asked) {
  const problem = h("p", { class: "field-error", role: "alert" });
  const agree = h("button", { type: "button", class: "button primary wide", onclick: () => busy(agree, async () => {
    fill(problem, "");
    try {
      await app.privacy.say(asked.map((item) => ({ ...item, granted: true })));
      dialog.close();
    } catch (error) {
      fill(problem, problemText(error));
    }
  }) }, t("asked.agree"));
  const body = h("div", { class: "sheet-body stack" },
    h("h2", { class: "sheet-title center" }, t("asked.title")),
    h("p", { class: "small muted center" }, t("asked.lead")),
    asked.map((item) => h("section", { class: "stack tight" }, h("h3", null, item.title), h("p", { class: "small prose" }, item.body))),
    problem, agree,
    h("button", { type: "button", class: "button plain wide", onclick: () => dialog.close() }, t("asked.later")));
  const dialog = openDialog(body, { label: t("asked.title") });
}
