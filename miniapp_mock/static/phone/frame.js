/** The frame around the screens: title bar, offline banner, waiting payment, tab bar; and which screen is shown. */
import { fill, h } from "../shared/dom.js";
import { money } from "../shared/format.js";
import { glyph } from "./icons.js";
import { leftToPay } from "./sheets/confirmation.js";
import { t } from "./texts.js";

const TABS = [
  ["home", "home"],
  ["mall", "shop"],
  ["code", "qr"],
  ["coupons", "ticket"],
  ["me", "person"],
];

/**
 * Make the frame in `root`. `screens` maps a route to `(app) => { node, title, tool?, foot?, leave?, shown?, tone? }`; a route that is no tab
 * gets a back button, `tool` stands at the right of the title, `foot` below the screen, and `shown(scroller)` is called when it stands
 * there. Routes live in the address' fragment, so that the phone's back gesture works.
 */
export function createFrame(root, app, screens) {
  const title = h("h1", { class: "bar-title", tabindex: "-1" });
  const back = h("button", { type: "button", class: "icon-button bar-back", "aria-label": t("common.back"), onclick: () => leaveSub() }, glyph("back"));
  const tool = h("div", { class: "bar-tool" });
  const bar = h("header", { class: "bar" }, back, title, tool);
  const offline = h("div", { class: "offline", role: "status", hidden: true }, glyph("cloud", 18), h("span", null));
  const waiting = h("button", { type: "button", class: "waiting", hidden: true, onclick: () => app.confirmations.open() });
  const main = h("main", { class: "screen" });
  const foot = h("footer", { class: "foot", hidden: true });
  const tabs = TABS.map(([route, icon]) => h("a", { href: `#/${route}`, class: `tab tab-${route}`, "data-route": route }, h("span", { class: "tab-icon" }, glyph(icon, route === "code" ? 28 : 24)), h("span", { class: "tab-text" }, t(`tab.${route}`))));
  const tabBar = h("nav", { class: "tabs", "aria-label": "主导航" }, tabs);
  fill(root, bar, offline, waiting, main, foot, tabBar);

  let current = null;
  let currentRoute = "";
  let currentPlace = "";
  let depth = 0;

  const isTab = (route) => TABS.some(([name]) => name === route);

  function wanted() {
    const name = location.hash.replace(/^#\//, "").split("?")[0];
    return screens[name] ? name : "home";
  }

  function leaveSub() {
    if (current?.onBack) current.onBack();
    else if (depth > 0) history.back();
    else location.replace(`#/${current?.parent || "me"}`);
  }

  /** Show a screen object; the old one is told to leave. */
  function show(screen, route = "") {
    const moved = route !== currentRoute;
    current?.leave?.();
    current = screen;
    currentRoute = route;
    root.dataset.tone = screen.tone || "plain";
    title.textContent = screen.title;
    document.title = route && route !== "home" ? `${screen.title} · ${app.chainName}` : app.chainName;
    back.hidden = !screen.onBack && (!route || isTab(route));
    bar.hidden = Boolean(screen.bare);
    tabBar.hidden = !isTab(route);
    for (const tab of tabs) {
      if (tab.dataset.route === route) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    fill(tool, screen.tool);
    fill(main, screen.node);
    fill(foot, screen.foot);
    foot.hidden = !screen.foot;
    main.scrollTop = 0;
    screen.shown?.(main);
    if (moved && document.activeElement !== document.body) title.focus({ preventScroll: true });
  }

  function showRoute() {
    const route = wanted();
    currentPlace = location.hash;
    show(screens[route](app), route);
  }

  addEventListener("hashchange", () => {
    if (!app.ready()) return;
    depth = isTab(wanted()) ? 0 : depth + 1;
    if (wanted() !== currentRoute || location.hash !== currentPlace) showRoute();
  });

  app.store.watch(["online", "member"], () => {
    offline.hidden = app.store.get("online");
    fill(offline.querySelector("span"), t(app.device.known() ? "frame.offline" : "frame.offline_plain"));
  });
  app.store.watch(["confirmations"], () => {
    const [first] = app.store.get("confirmations");
    waiting.hidden = !first;
    if (first) fill(waiting, glyph("clock", 20), h("span", { class: "grow clip" }, t("frame.waiting", { amount: money(leftToPay(first)) }), first.store?.name ? ` · ${first.store.name}` : ""), glyph("next", 18));
  });

  return {
    show,
    showRoute,
    route: () => currentRoute,
    /** Go to a route; `replace` leaves no way back to the present one. */
    go(route, { replace = false } = {}) {
      if (replace) location.replace(`#/${route}`);
      else location.hash = `#/${route}`;
    },
    back: leaveSub,
  };
}
