/** What the till says: a line for the screen reader, and one notice with one way on above the basket's buttons. */
import { fill, h } from "/static/shared/dom.js";
import { LineDown } from "./api.js";
import { picture } from "./icons.js";
import { t, troubleText } from "./texts.js";

const INFO_MS = 6000;

/** Ways on by a problem's code, where there is one whatever was tried. */
export const ways = {};

const spoken = h("p", { class: "sr-only", "aria-live": "polite", id: "spoken" });
const place = h("div", { class: "notices", id: "notices" });
let timer = null;

export const parts = [place, spoken];

/** Say it to a screen reader. */
export function announce(text) {
  spoken.textContent = "";
  setTimeout(() => { spoken.textContent = text; }, 30);
}

export function dismiss() {
  clearTimeout(timer);
  place.replaceChildren();
}

/** Show a notice; `action` is `{ text, run }`. A bad one, and one that `stays`, stands until it is dismissed or something else happens. */
export function notify(title, { detail = "", bad = false, stays = bad, action = null } = {}) {
  clearTimeout(timer);
  const act = action && h("button", { class: "button compact", type: "button", onclick: () => { dismiss(); action.run(); } }, action.text);
  fill(place, h("div", { class: `notice-bar${bad ? " bad" : ""}`, role: bad ? "alert" : "status" },
    picture(bad ? "warn" : "info", 20),
    h("div", { class: "grow" }, h("p", { class: "strong" }, title), detail ? h("p", { class: "tiny" }, detail) : null),
    act,
    h("button", { class: "icon-button", type: "button", "aria-label": t("common.close"), onclick: dismiss }, picture("close", 18))));
  if (!stays) timer = setTimeout(dismiss, INFO_MS);
}

/** Tell of a refusal or a cut line, with one way on. */
export function trouble(error, action = null) {
  if (error.status === undefined && !(error instanceof LineDown)) console.error(error); // a mistake of ours
  const { title, detail } = troubleText(error);
  notify(title, { detail, bad: true, action: ways[error.code] || action });
}
