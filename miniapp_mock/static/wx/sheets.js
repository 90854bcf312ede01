/**
 * What the WeChat app itself would draw over a mini-program: its sheet for the phone number, and its cashier. Here they act on
 * the simulator, and say so.
 */
import { h, icon } from "../shared/dom.js";
import { openDialog } from "../shared/dialog.js";
import { api, refusal } from "./core.js";
import { getStorageSync, setStorageSync } from "./storage.js";

const TEXT = {
  simulated: "模拟微信",
  allow: "允许",
  refuse: "不允许",
  phoneTitle: "申请获取并验证你的手机号",
  phoneWhy: "用于会员注册与身份验证",
  phoneLabel: "手机号",
  phoneHint: "请输入 11 位手机号",
  phoneWrong: "请输入以 1 开头的 11 位手机号",
  payTitle: "微信支付",
  payTo: "付款给",
  payMethod: "支付方式",
  payBank: "零钱（模拟）",
  payNow: "立即支付",
  paying: "正在支付",
  payDone: "支付成功",
  cancel: "取消",
  payFailed: "支付没有完成，请重试",
  close: "关闭",
};
const chain = () => document.querySelector('meta[name="chain-name"]')?.content || document.title;
const CLOSE = "M6 6l12 12M18 6L6 18";
const CHECK = "M5 12.5l4.5 4.5L19 7.5";

/** The head of one of WeChat's sheets; it says that it is a simulated one. */
export function header(title, close) {
  return h(
    "div",
    { class: "wx-head" },
    h("button", { type: "button", class: "icon-button", "aria-label": TEXT.close, onclick: close }, icon(CLOSE, 22)),
    h("h2", null, title),
    h("span", { class: "pill" }, TEXT.simulated),
  );
}

/** Ask for the phone number, as `<button open-type="getPhoneNumber">` does; resolves `{ code }` for the server. */
export const getPhoneNumber = api("getPhoneNumber", async () => {
  const input = h("input", {
    id: "wx-phone", class: "input num wx-phone", type: "tel", inputmode: "numeric", autocomplete: "tel-national", maxlength: 13, autofocus: true,
    placeholder: TEXT.phoneHint, value: getStorageSync("wx.phone") || "", "aria-describedby": "wx-phone-error",
  });
  const problem = h("p", { class: "field-error", id: "wx-phone-error", role: "alert" });
  const submit = (event) => {
    event.preventDefault();
    const digits = input.value.replace(/[\s-]/g, "");
    if (!/^1\d{10}$/.test(digits)) {
      problem.textContent = TEXT.phoneWrong;
      input.setAttribute("aria-invalid", "true");
      input.focus();
      return;
    }
    setStorageSync("wx.phone", digits);
    dialog.close(digits);
  };
  const form = h(
    "form",
    { class: "wx-sheet", novalidate: true, onsubmit: submit },
    header(chain(), () => dialog.close()),
    h("p", { class: "wx-title" }, TEXT.phoneTitle),
    h("p", { class: "muted small" }, TEXT.phoneWhy),
    h("div", { class: "field" }, h("label", { for: "wx-phone" }, TEXT.phoneLabel), input, problem),
    h(
      "div",
      { class: "wx-actions" },
      h("button", { type: "button", class: "button wx-plain", onclick: () => dialog.close() }, TEXT.refuse),
      h("button", { type: "submit", class: "button wx-green" }, TEXT.allow),
    ),
  );
  const dialog = openDialog(form, { label: TEXT.phoneTitle });
  const digits = await dialog.closed;
  if (!digits) throw refusal("user deny");
  return { code: `phone-${digits}` };
});

async function simulator(path, init) {
  const response = await fetch(`/mock/wechat/pay/${path}`, { credentials: "omit", ...init });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.message || TEXT.payFailed);
  return body;
}

/**
 * Show the cashier and pay. The real WeChat finds the order by `package` (prepay_id); this one needs `outTradeNo` beside the
 * signed fields, which the real one ignores.
 */
export const requestPayment = api("requestPayment", async ({ outTradeNo, package: packed, paySign }) => {
  if (!packed || !paySign || !outTradeNo) throw refusal("invalid parameters");
  const path = encodeURIComponent(outTradeNo);
  const order = await simulator(path).catch((error) => { throw refusal(error.message); });
  const total = order.amount?.total;
  const amount = Number.isFinite(total) ? (total / 100).toFixed(2) : "—";
  const problem = h("p", { class: "field-error center", role: "alert" });
  const pay = h("button", { type: "button", class: "button wide wx-green", autofocus: true }, TEXT.payNow);
  const cancel = h("button", { type: "button", class: "button wide wx-plain", onclick: () => dialog.close() }, TEXT.cancel);
  pay.addEventListener("click", async () => {
    pay.setAttribute("aria-busy", "true");
    pay.textContent = TEXT.paying;
    problem.textContent = "";
    try {
      await simulator(`${path}/pay`, { method: "POST" });
    } catch (error) {
      pay.removeAttribute("aria-busy");
      pay.textContent = TEXT.payNow;
      problem.textContent = error.message || TEXT.payFailed;
      return;
    }
    sheet.replaceChildren(h("div", { class: "wx-paid", role: "status" }, icon(CHECK, 56), h("p", { class: "wx-title" }, TEXT.payDone), h("p", { class: "wx-amount num" }, `¥${amount}`)));
    setTimeout(() => dialog.close("paid"), 700);
  });
  const sheet = h(
    "div",
    { class: "wx-sheet" },
    header(TEXT.payTitle, () => dialog.close()),
    h("p", { class: "muted center" }, order.description || chain()),
    h("p", { class: "wx-amount num", "aria-label": `${amount} 元` }, `¥${amount}`),
    h("dl", { class: "wx-facts" },
      h("div", null, h("dt", null, TEXT.payTo), h("dd", null, chain())),
      h("div", null, h("dt", null, TEXT.payMethod), h("dd", null, TEXT.payBank))),
    problem,
    h("div", { class: "stack" }, pay, cancel),
  );
  const dialog = openDialog(sheet, { label: TEXT.payTitle });
  if ((await dialog.closed) !== "paid") throw refusal("cancel");
});
