/** Pictures that a member adds to a review or as evidence: chosen, made smaller, sent at once, shown as they go. */
import { fill, h } from "../shared/dom.js";
import { glyph } from "./icons.js";
import { problemText, t } from "./texts.js";

const MOST = 6;
const WIDTH = 1600;

/**
 * `{ node, ids(), busy() }`: a row of pictures and a place to add up to `most`; `ids()` names those that have arrived, and `changed()`
 * is told when they are others. `upload(bytes)` takes one and brings its id; by default the member's own.
 */
export function pictureField(app, label, { most = MOST, changed = () => undefined, upload = null } = {}) {
  const list = h("ul", { class: "shots" });
  const note = h("p", { class: "field-error", role: "alert" });
  const add = h("button", { type: "button", class: "shot shot-add", onclick: choose }, glyph("plus", 24), h("span", { class: "tiny" }, t("picture.add")));
  const node = h("div", { class: "field" }, h("p", { class: "label small muted" }, label), list, note);
  const fs = app.wx.getFileSystemManager();
  let shots = []; // { path, id, failed }

  function draw() {
    add.setAttribute("aria-label", t("picture.add_more", { count: most - shots.length }));
    fill(list, shots.map((shot, i) => h("li", { class: `shot${shot.id ? "" : " sending"}`, "aria-busy": shot.id || shot.failed ? null : "true" },
      h("img", { src: shot.path, alt: t("picture.of", { number: i + 1 }) }),
      shot.failed && h("button", { type: "button", class: "shot-again", "aria-label": t("picture.again", { number: i + 1 }), onclick: () => send(shot) }, glyph("undo", 22)),
      h("button", { type: "button", class: "shot-drop", "aria-label": t("picture.drop", { number: i + 1 }), onclick: () => drop(shot) }, h("span", null, glyph("close", 14))))),
      shots.length < most && h("li", null, add));
  }

  async function choose() {
    note.textContent = "";
    try {
      const { tempFiles } = await app.wx.chooseMedia({ count: most - shots.length, mediaType: ["image"] });
      const chosen = tempFiles.map(({ tempFilePath }) => ({ path: tempFilePath, id: "", failed: false }));
      shots = [...shots, ...chosen];
      draw();
      for (const shot of chosen) await send(shot);
    } catch (error) {
      if (!/cancel/.test(error.errMsg || "")) note.textContent = error.errMsg || problemText(error);
    }
  }

  async function send(shot) {
    shot.failed = false;
    draw();
    try {
      const small = await app.wx.compressImage({ src: shot.path, quality: 82, compressedWidth: WIDTH });
      const bytes = await new Promise((resolve, reject) => { fs.readFile({ filePath: small.tempFilePath, success: ({ data }) => resolve(data), fail: reject }); });
      fs.unlink({ filePath: small.tempFilePath });
      shot.id = upload ? await upload(bytes) : (await app.api.upload("/v1/member/media", bytes, "image/jpeg")).id;
      changed();
    } catch (error) {
      shot.failed = true;
      note.textContent = error.errMsg ? t("picture.unreadable") : problemText(error);
    }
    draw();
  }

  function drop(shot) {
    shots = shots.filter((one) => one !== shot);
    fs.unlink({ filePath: shot.path });
    note.textContent = "";
    draw();
    changed();
    add.focus({ preventScroll: true });
  }

  draw();
  return { node, ids: () => shots.map(({ id }) => id).filter(Boolean), busy: () => shots.some(({ id, failed }) => !id && !failed) };
}

/** Small pictures that open large; one whose address is no longer good (they are for an hour) is left out. */
export function pictureStrip(app, pictures) {
  if (!pictures?.length) return null;
  const urls = pictures.map(({ url }) => url);
  return h("ul", { class: "shots" }, pictures.map(({ url, small_url: small }, i) => h("li", { class: "shot" },
    h("button", { type: "button", "aria-label": t("picture.look", { number: i + 1 }), onclick: () => app.wx.previewImage({ urls, current: url }) }, h("img", { src: small, alt: "", loading: "lazy", decoding: "async", onerror: (event) => event.currentTarget.closest("li").remove() })))));
}
