/** A text beside its form, as phones will draw it: asked of the server a moment after the last key. */
import { fill, h } from "/static/shared/dom.js";
import { rich } from "/static/shared/rich.js";
import { problemText, words } from "../texts.js";

const w = words({ "preview.title": "手机上的样子", "preview.empty": "正文的样子会出现在这里" });
const PAUSE_MS = 300;

/** `address`: the preview call. `node` stands beside the form; `show({ title, body, cover })` draws. */
export function preview({ api, address, signal }) {
  const cover = h("div");
  const title = h("h2");
  const text = h("div", { "aria-live": "polite" });
  const node = h("aside", { class: "card as-phone", "aria-label": w("preview.title") }, h("p", { class: "muted tiny" }, w("preview.title")), cover, title, text);
  let timer = null;
  let round = 0;

  async function draw(body) {
    round += 1;
    const mine = round;
    if (!body.trim()) { fill(text, h("p", { class: "muted small" }, w("preview.empty"))); return; }
    try {
      const { blocks } = await api.post(address, { body }, { again: true, signal });
      if (mine === round && !signal.aborted) fill(text, rich(blocks));
    } catch (error) {
      if (mine === round && !signal.aborted) fill(text, h("p", { class: "field-error", role: "alert" }, error.fields?.[0]?.message || problemText(error)));
    }
  }

  signal.addEventListener("abort", () => clearTimeout(timer));
  return {
    node,
    show({ title: name, body, cover: url = "" }) {
      title.textContent = name || "";
      fill(cover, url && h("img", { class: "cover", src: url, alt: "" }));
      clearTimeout(timer);
      timer = setTimeout(() => draw(body || ""), PAUSE_MS);
    },
  };
}
