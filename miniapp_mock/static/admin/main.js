/** Starts the console: the session of before or a login, then the frame, and in it the screen of the address. */
import { fill, h } from "/static/shared/dom.js";
import * as api from "./api.js";
import * as frame from "./frame.js";
import * as join from "./join.js";
import * as keys from "./keys.js";
import * as login from "./login.js";
import * as router from "./router.js";
import { screenAt, sees } from "./screens.js";
import * as session from "./session.js";
import { loading, trouble, unknown } from "./parts/states.js";
import { t } from "./texts.js";

const app = document.getElementById("app");
const chainName = document.querySelector("meta[name=chain-name]").content;

let me = null;
let leaving = new AbortController();
let ending = false;

/** Everything a screen is given; see docs/console.md. */
function given(place, signal, name) {
  return { api, me, place, signal, go: router.go, href: router.href, note: (query) => router.note(place.path, query), title: name, keys: keys.ofThisScreen };
}

async function open() {
  if (!me) return;
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const place = router.read();
  const screen = screenAt(place.path);
  keys.ofThisScreen();
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  frame.point(place.path, screen ? screen.title : t("app.unknown"));
  if (!screen || !sees(me, screen)) {
    frame.put(unknown(() => router.go("home")));
    return;
  }
  frame.put(loading());
  try {
    const module = await screen.load();
    const node = await module.open(given(place, signal, screen.title));
    if (!signal.aborted) frame.put(node);
  } catch (error) {
    if (signal.aborted || ending) return;
    if (error.name !== "ApiError" && error.name !== "NetworkError") console.error(error);
    frame.put(trouble(error, open));
  }
}

/** Who is logged in, as screens know them: `me.may("coupons.write")` says whether they hold a permission. */
function known({ staff, role, permissions, second_factor_required: bare }) {
  const held = new Set(permissions);
  return { ...staff, role_title: role.title, bare, may: (permission) => held.has(permission) };
}

/** Ask who we are, once there is a session; logs in as often as it takes. */
async function begin(why = "") {
  const link = router.read();
  if (link.path === "join" && link.query.token) {
    const said = await join.show(app, link.query.token);
    history.replaceState(null, "", router.href("home"));
    return begin(said);
  }
  for (let reason = why; ; reason = t("login.ended")) {
    if (!session.kept()) await login.show(app, chainName, reason);
    try {
      me = known(await api.get("/v1/admin/me"));
      return;
    } catch (error) {
      if (error.status === 401 || error.status === 403) continue;
      await new Promise((resolve) => fill(app, h("main", { class: "login" }, trouble(error, resolve))));
    }
  }
}

async function start(why = "") {
  ending = false;
  await begin(why);
  frame.build(app, { me, chainName, onLogout: logOut });
  await open();
}

async function logOut() {
  ending = true;
  me = null;
  leaving.abort();
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  await session.logOut();
  history.replaceState(null, "", router.href("home"));
  await start();
}

session.onLost(() => {
  if (!me || ending) return;
  ending = true;
  me = null;
  leaving.abort();
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  start(t("login.ended"));
});
window.addEventListener("hashchange", open);
keys.add("?", t("keys.help"), keys.show);
keys.add("/", t("keys.search"), () => router.go("contact"));
fill(app, loading());
session.holdTab().then(() => start());
