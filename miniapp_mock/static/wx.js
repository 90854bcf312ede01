/**
 * The `wx.*` calls that the phone page uses, over the browser and the WeChat simulator. The page calls nothing else of the
 * browser's for these things, so the modules under `shared/` run in a native mini-program unchanged.
 */
import { ask, toast } from "./shared/dialog.js";
import { chooseAddress } from "./wx/address_sheet.js";
import { openContact } from "./wx/contact.js";
import { api, refusal } from "./wx/core.js";
import { downloadFile, openDocument } from "./wx/files.js";
import { phoneId } from "./wx/identity.js";
import { getLaunchOptionsSync } from "./wx/launch.js";
import { connectSocket, getNetworkType, offNetworkStatusChange, onNetworkStatusChange, request } from "./wx/network.js";
import { chooseMedia, compressImage, getFileSystemManager, previewImage } from "./wx/pictures.js";
import { getPhoneNumber, requestPayment } from "./wx/sheets.js";
import { requestSubscribeMessage } from "./wx/subscribe.js";
import { getStorage, getStorageSync, removeStorage, removeStorageSync, setStorage, setStorageSync } from "./wx/storage.js";

let wakeLock = null;

async function readBarcode(picture) {
  if (!("BarcodeDetector" in window)) throw refusal("not supported");
  const found = await new window.BarcodeDetector().detect(picture);
  if (!found.length) throw refusal("no code found");
  return { result: found[0].rawValue, scanType: found[0].format };
}

export const wx = {
  getLaunchOptionsSync,
  login: api("login", () => ({ code: `demo-${phoneId()}` })),
  getPhoneNumber,
  requestPayment,
  requestSubscribeMessage,
  chooseAddress,
  openContact,
  chooseMedia,
  compressImage,
  previewImage,
  getFileSystemManager,
  downloadFile,
  openDocument,

  request,
  connectSocket,
  getNetworkType,
  onNetworkStatusChange,
  offNetworkStatusChange,

  getStorage,
  getStorageSync,
  setStorage,
  setStorageSync,
  removeStorage,
  removeStorageSync,

  getRandomValues: api("getRandomValues", ({ length }) => ({ randomValues: crypto.getRandomValues(new Uint8Array(length)).buffer })),
  arrayBufferToBase64(buffer) {
    let text = "";
    for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte);
    return btoa(text);
  },
  getDeviceInfo: () => ({ brand: "", model: model(), platform: navigator.userAgentData?.platform || "" }),

  // a browser may not touch the screen's brightness: the page shows itself brighter instead (see `data-bright` in the CSS)
  setScreenBrightness: api("setScreenBrightness", ({ value }) => {
    document.documentElement.toggleAttribute("data-bright", value >= 0.9);
  }),
  setKeepScreenOn: api("setKeepScreenOn", async ({ keepScreenOn }) => {
    if (wakeLock) await wakeLock.release().catch(() => undefined);
    wakeLock = keepScreenOn && navigator.wakeLock ? await navigator.wakeLock.request("screen").catch(() => null) : null;
  }),
  vibrateShort: api("vibrateShort", () => {
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(15);
  }),

  showToast: api("showToast", ({ title, duration = 2000 }) => toast(title, duration)),
  showModal: api("showModal", async ({ title, content, confirmText = "确定", cancelText = "取消", showCancel = true, danger = false }) => {
    const confirm = await ask({ title, content, confirmText, cancelText: showCancel ? cancelText : "", danger });
    return { confirm, cancel: !confirm };
  }),
  setClipboardData: api("setClipboardData", ({ data }) => navigator.clipboard.writeText(data)),

  scanCode: api("scanCode", () => new Promise((resolve, reject) => {
    const picker = document.createElement("input");
    picker.type = "file";
    picker.accept = "image/*";
    picker.setAttribute("capture", "environment");
    picker.addEventListener("cancel", () => reject(refusal("cancel")));
    picker.addEventListener("change", () => createImageBitmap(picker.files[0]).then(readBarcode).then(resolve, reject));
    picker.click();
  })),
};

function model() {
  const agent = navigator.userAgent;
  const known = [/iPhone/, /iPad/, /Android/, /Windows/, /Mac OS X/, /Linux/].find((pattern) => pattern.test(agent));
  return known ? known.source.replace("Mac OS X", "Mac") : "手机";
}
