/** Who stands here when the phone's code is not at hand: asked by number, confirmed by themselves. */
import { h } from "/static/shared/dom.js";
import * as api from "./api.js";
import { button, field, openDialog } from "./dialogs.js";
import { pause } from "./line.js";
import { take } from "./member.js";
import { notify, trouble } from "./notices.js";
import { t, troubleText } from "./texts.js";

const PATH = "/v1/pos/identities";
const EVERY_MS = 1500;

/** What kind of number it is, as the server wants it named. */
export function named(text) {
  const number = text.replace(/[\s-]/g, "").toUpperCase();
  if (/^1\d{10}$/.test(number)) return { phone: number };
  if (/^(\d{17}[\dX]|[A-Z]\w{5,23})$/.test(number)) return { document: number };
  return /^\d{6,32}$/.test(number) ? { card_no: number } : null;
}

/** Ask for a number, then wait for its member. */
export async function open() {
  const number = field(t("identify.number"), h("input", { class: "input big num", id: "identify-number", autocomplete: "off", maxlength: "40", autofocus: true }));
  const start = () => {
    const asked = named(number.input.value);
    if (asked) dialog.close(asked);
    else number.complain(t("identify.bad"));
  };
  number.input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); start(); } });
  const dialog = openDialog({
    title: t("identify.title"), onScan: (text) => { number.input.value = text; start(); },
    body: [h("p", { class: "small muted" }, t("identify.hint")), number.wrapper],
    actions: [button(t("common.cancel"), () => dialog.close(null)), button(t("identify.go"), start, "primary", { id: "identify-go" })],
  });
  const asked = await dialog.closed;
  if (asked) await ask(asked);
}

/** Wait for the member with this number: `{ phone }`, `{ document }` or `{ card_no }`. */
export async function ask(asked) {
  try {
    await wait(await api.post(PATH, asked));
  } catch (error) {
    trouble(error);
  }
}

/** Have a code sent for earning or spending, and take it as the member reads it out; resolves to the confirmed request, or null. */
async function bySms(path) {
  const code = field(t("identify.sms_code"), h("input", { class: "input big num", id: "identify-sms", inputmode: "numeric", autocomplete: "off", maxlength: "6" }));
  const dialog = openDialog({
    title: t("identify.sms"), onScan: (text) => { code.input.value = text; check(); },
    body: [h("p", { class: "small muted" }, t("identify.sms_hint")), h("div", { class: "row tight" },
      button(t("identify.sms_earn"), () => send("earn"), "soft", { id: "identify-sms-earn", autofocus: true }), button(t("identify.sms_spend"), () => send("spend"), "soft", { id: "identify-sms-spend" })), code.wrapper],
    actions: [button(t("common.cancel"), () => dialog.close(null)), button(t("identify.sms_check"), check, "primary", { id: "identify-sms-check" })],
  });
  code.input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); check(); } });

  async function send(purpose) {
    try {
      await api.post(`${path}/sms`, { purpose });
      code.complain("");
      notify(t("identify.sms_sent"));
      code.input.focus();
    } catch (error) {
      code.complain(troubleText(error).title);
    }
  }
  async function check() {
    try {
      dialog.close(await api.post(`${path}/code`, { code: code.input.value.trim() }));
    } catch (error) {
      code.input.value = "";
      code.complain(troubleText(error).title);
    }
  }
  return dialog.closed;
}

async function wait(request) {
  const path = `${PATH}/${request.id}`;
  const pin = field(t("identify.pin"), h("input", { class: "input big num secret", id: "identify-pin", inputmode: "numeric", autocomplete: "off", maxlength: "6", autofocus: true }));
  pin.input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); check(); } });
  const dialog = openDialog({
    title: t("identify.title"), onScan: (text) => { pin.input.value = text; check(); },
    body: [h("p", { role: "status" }, t("identify.wait")), pin.wrapper],
    actions: [button(t("common.cancel"), () => dialog.close(null)), button(t("identify.sms"), () => dialog.close("sms"), "", { id: "identify-by-sms" }), button(t("identify.check"), check, "primary", { id: "identify-check" })],
  });

  async function check() {
    try {
      dialog.close(await api.post(`${path}/pin`, { pin: pin.input.value }));
    } catch (error) {
      pin.input.value = "";
      pin.complain(troubleText(error).title);
    }
  }

  (async () => {
    while (dialog.element.isConnected) {
      await pause(EVERY_MS);
      const seen = await api.get(path).catch(() => null);
      if (seen && seen.state !== "waiting") dialog.close(seen);
    }
  })();
  let found = await dialog.closed;
  if (found === "sms") found = await bySms(path);
  if (!found) return;
  if (found.state !== "confirmed") return notify(t(`identify.${found.state}`), { bad: true });
  await take(found.scan, "scanned");
  if (found.rights === "earn") notify(t("identify.earn"));
}
