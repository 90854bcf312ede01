/** wx.chooseMedia, wx.compressImage, wx.previewImage and reading a picture's bytes, over the browser's files. */
import { h, icon } from "../shared/dom.js";
import { openDialog } from "../shared/dialog.js";
import { api, refusal } from "./core.js";

const TEXT = { preview: "查看图片", close: "关闭", previous: "上一张", next: "下一张", at: "图片" };
const CLOSE = "M6 6l12 12M18 6 6 18";
const files = new Map(); // a path of ours → what lies there; a browser's page may not fetch it

function keep(file) {
  const path = URL.createObjectURL(file);
  files.set(path, file);
  return { tempFilePath: path, size: file.size };
}

/** Let the member choose pictures; resolves `{ tempFiles: [{ tempFilePath, size }] }`. */
export const chooseMedia = api("chooseMedia", ({ count = 9 }) => new Promise((resolve, reject) => {
  const picker = h("input", { type: "file", accept: "image/*", multiple: count > 1, hidden: true, "aria-hidden": "true" });
  const end = () => picker.remove();
  picker.addEventListener("cancel", () => { end(); reject(refusal("cancel")); });
  picker.addEventListener("change", () => {
    end();
    resolve({ tempFiles: [...picker.files].slice(0, count).map(keep), type: "image" });
  });
  document.body.append(picker);
  picker.click();
}));

/** Draw a picture smaller, as JPEG; resolves `{ tempFilePath }`. */
export const compressImage = api("compressImage", async ({ src, quality = 80, compressedWidth = 1600 }) => {
  const bitmap = await createImageBitmap(files.get(src), { imageOrientation: "from-image" });
  const scale = Math.min(1, compressedWidth / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return keep(await canvas.convertToBlob({ type: "image/jpeg", quality: quality / 100 }));
});

/** As in a mini-program: `readFile({ filePath, success, fail })` gives the bytes as an ArrayBuffer. */
export const getFileSystemManager = () => ({
  readFile({ filePath, success, fail }) {
    const file = files.get(filePath);
    if (!file) fail?.({ errMsg: "readFile:fail no such file" });
    else file.arrayBuffer().then((data) => success?.({ data, errMsg: "readFile:ok" }), (error) => fail?.({ errMsg: `readFile:fail ${error.message}` }));
  },
  /** Forget a file; pages that no longer show it free its memory. */
  unlink({ filePath }) {
    URL.revokeObjectURL(filePath);
    files.delete(filePath);
  },
});

/** Show pictures large, one at a time; arrow keys go on. */
export const previewImage = api("previewImage", async ({ urls, current = urls[0] }) => {
  let at = Math.max(0, urls.indexOf(current));
  const drawn = h("img", { class: "wx-preview-picture", alt: "" });
  const place = h("p", { class: "num", role: "status" });
  const step = (by) => { at = (at + by + urls.length) % urls.length; show(); };
  const turn = (by, path, name) => h("button", { type: "button", class: "icon-button", "aria-label": name, onclick: () => step(by) }, icon(path, 24));
  const box = h("div", { class: "wx-preview", onkeydown: (event) => { if (urls.length > 1 && ["ArrowLeft", "ArrowRight"].includes(event.key)) step(event.key === "ArrowLeft" ? -1 : 1); } },
    h("div", { class: "row between" }, place, h("button", { type: "button", class: "icon-button", autofocus: true, "aria-label": TEXT.close, onclick: () => dialog.close() }, icon(CLOSE, 24))),
    drawn,
    urls.length > 1 && h("div", { class: "row between" }, turn(-1, "M14.5 5 7.5 12l7 7", TEXT.previous), turn(1, "M9.5 5l7 7-7 7", TEXT.next)));
  function show() {
    drawn.src = urls[at];
    drawn.alt = `${TEXT.at} ${at + 1}`;
    place.textContent = `${at + 1} / ${urls.length}`;
  }
  show();
  const dialog = openDialog(box, { label: TEXT.preview, className: "wx-preview-sheet" });
  await dialog.closed;
});
