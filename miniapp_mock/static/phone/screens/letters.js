/** 消息设置: which letters the member wants, and by which way. */
import { fill, h } from "../../shared/dom.js";
import { glyph } from "../icons.js";
import { busy, linkCell, skeletonRows, trouble } from "../parts.js";
import { problemText, t } from "../texts.js";

const PURPOSES = ["service", "care", "survey", "marketing"];
const CHANNELS = ["inbox", "wechat", "sms", "email", "post"];
const MOST_AT_ONCE = 3; // templates in one wx.requestSubscribeMessage

export function lettersScreen(app) {
  const body = h("div", { class: "stack" });
  const node = h("div", { class: "page stack" }, h("p", { class: "small muted page-lead" }, t("letters.lead")), body);

  async function load() {
    fill(body, h("div", { class: "card flush" }, skeletonRows(6)));
    try {
      const [consents, subscriptions, email] = await Promise.all([app.messages.consents(), app.messages.subscriptions(), app.messages.email()]);
      draw(consents.items, subscriptions.items, email);
    } catch (error) {
      fill(body, h("div", { class: "card" }, trouble(error, load)));
    }
  }

  function draw(consents, subscriptions, email) {
    const granted = (purpose, channel) => consents.find((item) => item.purpose === purpose && item.channel === channel)?.granted;
    fill(body,
      subscriptions.length > 0 && subscribing(subscriptions),
      h("section", { class: "card flush cells" }, linkCell({ icon: "letterbox", text: t("email.title"), value: email.dead ? t("email.dead_short") : email.email_masked || t("email.none"), onclick: () => app.go("email") })),
      PURPOSES.map((purpose) => h("section", { class: "card flush cells", "aria-label": t(`letters.purpose_${purpose}`) },
        h("div", { class: "cell letters-purpose" }, h("div", { class: "grow" }, h("h2", null, t(`letters.purpose_${purpose}`)), h("p", { class: "tiny muted" }, t(`letters.purpose_${purpose}_hint`)))),
        CHANNELS.map((channel) => choice(purpose, channel, granted(purpose, channel))))),
      h("p", { class: "tiny muted center end-note" }, t("letters.night")));
  }

  function choice(purpose, channel, on) {
    if (purpose === "service" && channel === "post") return null; // nobody is told of an order by post
    const name = t(`letters.channel_${channel}`);
    if (purpose === "service" && channel === "inbox") return h("div", { class: "cell" }, h("span", { class: "grow" }, name), h("span", { class: "small muted" }, t("letters.always")));
    const input = h("input", { type: "checkbox", role: "switch", class: "switch", checked: Boolean(on), "aria-label": `${t(`letters.purpose_${purpose}`)} ${name}`, onchange: () => change(input, purpose, channel) });
    return h("label", { class: "cell toggle" }, h("span", { class: "grow" }, name), input);
  }

  async function change(input, purpose, channel) {
    input.disabled = true;
    try {
      await app.messages.say(channel, purpose, input.checked);
    } catch (error) {
      input.checked = !input.checked;
      app.toast(problemText(error));
    }
    input.disabled = false;
  }

  function subscribing(items) {
    const ask = async (item, button) => busy(button, async () => {
      try {
        const accepted = await app.messages.subscribe([item.template_id].slice(0, MOST_AT_ONCE));
        app.toast(t(accepted ? "letters.wechat_done" : "letters.wechat_refused"));
        load();
      } catch (error) {
        app.toast(error.errMsg || problemText(error));
      }
    });
    return h("section", { class: "card flush cells", "aria-label": t("letters.wechat") },
      h("div", { class: "cell letters-purpose" }, glyph("chat", 22, "cell-icon"), h("div", { class: "grow" }, h("h2", null, t("letters.wechat")), h("p", { class: "tiny muted" }, t("letters.wechat_hint")))),
      items.map((item) => {
        const button = h("button", { type: "button", class: "button soft compact", "aria-label": `${t("letters.wechat_ask")} ${item.titles.join("、")}`, onclick: () => ask(item, button) }, t("letters.wechat_ask"));
        return h("div", { class: "cell" }, h("div", { class: "grow" }, h("p", { class: "clip" }, item.titles.join("、")), h("p", { class: "tiny muted num" }, t("letters.wechat_left", { count: item.available }))), button);
      }));
  }

  load();
  return { title: t("letters.title"), node, parent: "inbox" };
}
