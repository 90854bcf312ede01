/** The first screen: what waits for somebody, and where to go. */
import { fill, h } from "/static/shared/dom.js";
import { glyph } from "../icons.js";
import { head } from "../parts/states.js";
import { count } from "../parts/format.js";
import { navigation, SCREENS, sees } from "../screens.js";
import { t, words } from "../texts.js";

const w = words({
  "home.hello": "你好，{name}",
  "home.todo": "待处理",
  "home.none": "现在没有等待处理的事项",
  "home.places": "功能",
  "home.bare": "您的角色须用动态验证码登录，设置好之后才能使用其他功能。",
  "home.set": "现在设置",
});

/** A tile for each screen that has something to do; a screen that cannot say so is left out. */
async function waiting(given) {
  const asked = SCREENS.filter((screen) => screen.todo && sees(given.me, screen));
  const told = await Promise.all(asked.map(async (screen) => {
    const found = await (await screen.load()).todo(given).catch(() => null);
    return found && found.count > 0 ? h("a", { class: "card tile", href: given.href(screen.path, found.query) }, h("span", { class: "tile-count num" }, `${count(found.count)}${found.more ? "+" : ""}`), h("span", { class: "small" }, found.text)) : null;
  }));
  const tiles = told.filter(Boolean);
  return tiles.length ? h("div", { class: "tiles" }, tiles) : h("p", { class: "muted" }, w("home.none"));
}

export async function open(given) {
  const todo = h("div", null, h("div", { class: "skeleton bar", "aria-busy": "true" }));
  waiting(given).then((node) => { if (!given.signal.aborted) fill(todo, node); });
  const places = navigation(given.me).filter(([title]) => title).map(([title, screens]) => h("section", { class: "card" }, h("h2", { class: "muted small" }, title), h("div", { class: "place-links" }, screens.map((screen) => h("a", { class: "place-link", href: given.href(screen.path) }, glyph(screen.icon, 20), screen.title)))));
  return [
    head(w("home.hello", { name: given.me.username }), { note: given.me.role_title }),
    given.me.bare && h("section", { class: "card stack", role: "alert" }, h("p", { class: "danger" }, w("home.bare")), h("p", null, h("a", { class: "button primary", href: given.href("account") }, w("home.set")))),
    h("section", { class: "stack" }, h("h2", null, w("home.todo")), todo),
    h("section", { class: "stack" }, h("h2", null, w("home.places")), h("div", { class: "places" }, places)),
  ];
}
