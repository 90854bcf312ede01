/** WeChat's own address book, over the simulator's phone: a few addresses that are nobody's. */
import { h } from "../shared/dom.js";
import { openDialog } from "../shared/dialog.js";
import { api, refusal } from "./core.js";
import { header } from "./sheets.js";

const TEXT = { title: "选择收货地址", why: "来自微信的收货地址" };
const BOOK = [
  { userName: "王小明", telNumber: "13800138000", nationalCode: "440305", provinceName: "广东省", cityName: "深圳市", countyName: "南山区", detailInfo: "科技园路 9 号甲座 1203" },
  { userName: "王小明", telNumber: "13800138000", nationalCode: "310115", provinceName: "上海市", cityName: "上海市", countyName: "浦东新区", detailInfo: "世纪大道 100 号 15 楼" },
];

/** Let the member choose one of their WeChat addresses; resolves its fields as `wx.chooseAddress` names them. */
export const chooseAddress = api("chooseAddress", async () => {
  const row = (one, i) => h("button", { type: "button", class: "cell", autofocus: i === 0, onclick: () => dialog.close(one) },
    h("span", { class: "grow" }, h("span", { class: "strong num" }, `${one.userName} ${one.telNumber}`),
      h("span", { class: "tiny muted block" }, one.provinceName, one.cityName === one.provinceName ? "" : one.cityName, one.countyName, one.detailInfo)));
  const sheet = h("div", { class: "wx-sheet" }, header(TEXT.title, () => dialog.close()), h("p", { class: "muted small" }, TEXT.why), h("div", { class: "cells" }, BOOK.map(row)));
  const dialog = openDialog(sheet, { label: TEXT.title });
  const chosen = await dialog.closed;
  if (!chosen) throw refusal("cancel");
  return { ...chosen, postalCode: "" };
});
