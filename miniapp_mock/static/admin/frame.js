/** What stands around every screen: navigation by role, who is logged in, and the place for the screen. */
import { fill, h } from "/static/shared/dom.js";
import { glyph } from "./icons.js";
import * as keys from "./keys.js";
import { href } from "./router.js";
import { navigation } from "./screens.js";
import { t } from "./texts.js";

let links = [];
let stage = null;
let chain = "";
let shell = null;

/** Build the frame in `app` for this member of the staff. */
export function build(app, { me, chainName, onLogout }) {
  chain = chainName;
  links = [];
  const nav = h("nav", { class: "nav", id: "nav", "aria-label": t("app.nav") },
    h("div", { class: "brand-row" }, h("span", { class: "logo" }, glyph("heart", 20)), h("span", { class: "clip strong" }, chainName)),
    navigation(me).map(([title, screens]) => h("div", { class: "nav-group" }, title && h("p", { class: "nav-title" }, title), screens.map(link))),
    h("div", { class: "nav-foot" },
      h("div", { class: "me" }, h("span", { class: "clip strong" }, me.username), h("span", { class: "muted tiny" }, [me.role_title, me.store_id].filter(Boolean).join(" · "))),
      h("button", { type: "button", class: "icon-button", "aria-label": t("keys.help"), title: t("keys.help"), onclick: keys.show }, glyph("key", 20)),
      h("button", { type: "button", class: "icon-button", "aria-label": t("app.logout"), title: t("app.logout"), onclick: onLogout }, glyph("out", 20)),
    ),
  );
  stage = h("main", { id: "stage", class: "stage", tabindex: "-1" });
  const menu = h("button", { type: "button", class: "icon-button menu-button", "aria-label": t("app.menu"), "aria-controls": "nav", "aria-expanded": "false", onclick: () => openMenu(!shell.classList.contains("menu-open")) }, glyph("menu", 22));
  shell = h("div", { class: "shell" },
    h("a", { class: "skip", href: "#stage", onclick: (event) => { event.preventDefault(); stage.focus(); } }, t("app.skip")),
    nav,
    h("div", { class: "nav-scrim", onclick: () => openMenu(false) }),
    h("div", { class: "work" }, menu, offlineStrip(), stage),
  );
  shell.addEventListener("keydown", (event) => { if (event.key === "Escape") openMenu(false); });
  fill(app, shell);
}

function link(screen) {
  const node = h("a", { class: "nav-link", href: href(screen.path) }, glyph(screen.icon, 20), h("span", { class: "clip" }, screen.title));
  links.push({ path: screen.path, node });
  return node;
}

function openMenu(open) {
  shell.classList.toggle("menu-open", open);
  shell.querySelector(".menu-button").setAttribute("aria-expanded", String(open));
  if (open) links[0]?.node.focus();
}

function offlineStrip() {
  const strip = h("p", { class: "offline", role: "status", hidden: navigator.onLine }, t("app.offline"));
  window.addEventListener("offline", () => { strip.hidden = false; });
  window.addEventListener("online", () => { strip.hidden = true; });
  return strip;
}

/** Say in the navigation and in the window's title which screen is shown. */
export function point(path, title) {
  for (const link of links) {
    if (link.path === path) link.node.setAttribute("aria-current", "page");
    else link.node.removeAttribute("aria-current");
  }
  document.title = `${title} · ${chain}`;
  openMenu(false);
}

/** Put a screen, or what stands for it, into its place. */
export function put(...nodes) {
  fill(stage, nodes);
  stage.scrollTop = 0;
}
