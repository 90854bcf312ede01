/** The first run: terminal id and secret are entered once; the secret becomes a key that nobody can read, and is forgotten. */
import { fill, h } from "/static/shared/dom.js";
import * as api from "./api.js";
import { offset } from "./clock.js";
import { button, confirm, openDialog } from "./dialogs.js";
import { picture } from "./icons.js";
import { attempts as kept, keepMember, settings } from "./store.js";
import { notify } from "./notices.js";
import { canSign, importSecret } from "./signing.js";
import { change, clearSale, state } from "./state.js";
import { t, troubleText } from "./texts.js";
import * as views from "./views.js";

const KEYS = [
  ["F1", "gift"],
  ["F2", "qty"],
  ["F3", "search"],
  ["F4", "cut"],
  ["F6", "cash"],
  ["F7", "external"],
  ["F8", "member"],
  ["F9", "settle"],
  ["F10", "coupons"],
  ["F12", "tables"],
  ["↑ ↓", "move"],
  ["Del", "remove"],
  ["Esc", "escape"],
];

const place = h("main", { class: "setup", id: "setup" });

/** The terminal kept on this machine, or undefined. */
export const keptTerminal = () => settings.get("terminal");

function input(id, type = "text") {
  return h("input", { class: "input", id, type, autocomplete: "off", spellcheck: "false", maxlength: "400" });
}

/** A whole `{"id", "secret"}` pasted into either field fills both. */
function takePasted(event, id, secret) {
  let pasted;
  try {
    pasted = JSON.parse(event.clipboardData.getData("text"));
  } catch {
    return;
  }
  if (typeof pasted?.id !== "string" || typeof pasted?.secret !== "string") return;
  event.preventDefault();
  id.value = pasted.id;
  secret.value = pasted.secret;
}

function draw(onReady) {
  const id = input("setup-id");
  const secret = input("setup-secret", "password");
  const cashier = input("setup-cashier");
  cashier.maxLength = 20;
  cashier.value = state.cashier;
  const wrong = h("p", { class: "field-error", role: "alert" }, canSign() ? "" : t("setup.insecure"));
  const save = h("button", { class: "button primary wide", type: "submit", id: "setup-save", disabled: !canSign() }, t("setup.save"));
  const busy = (on) => {
    save.setAttribute("aria-busy", String(on));
    save.textContent = t(on ? "setup.checking" : "setup.save");
  };
  const submit = async (event) => {
    event.preventDefault();
    const terminalId = id.value.trim();
    const text = secret.value.trim();
    wrong.textContent = terminalId && text ? "" : t("setup.blank");
    if (!terminalId || !text || save.getAttribute("aria-busy") === "true") return;
    busy(true);
    try {
      const terminal = { id: terminalId, key: await importSecret(text) };
      const context = await api.getContext(terminal);
      secret.value = "";
      await settings.set("terminal", terminal);
      await settings.set("cashier", cashier.value.trim());
      navigator.storage?.persist?.();
      change((now) => { now.cashier = cashier.value.trim(); });
      onReady(terminal, context);
    } catch (error) {
      wrong.textContent = error.status === 401 ? t("setup.refused") : troubleText(error).title;
    } finally {
      busy(false);
    }
  };
  for (const field of [id, secret]) field.addEventListener("paste", (event) => takePasted(event, id, secret));
  const row = (label, field) => h("div", { class: "field" }, h("label", { for: field.id }, label), field);
  fill(place, h("form", { class: "card setup-card", onsubmit: submit, autocomplete: "off" },
    h("div", { class: "setup-mark" }, picture("store", 34)),
    h("h1", null, t("setup.title")), h("p", { class: "muted small" }, t("setup.text")),
    row(t("setup.id"), id), row(t("setup.secret"), secret), row(t("setup.cashier"), cashier), wrong, save));
  id.focus();
}

export function build() {
  views.add("setup", place, { enter: draw, leave: () => place.replaceChildren() });
  return place;
}

async function forget(dialog) {
  if ((await kept.all()).length) {
    notify(t("setup.forget_undecided"), { bad: true });
    return dialog.close();
  }
  if (!(await confirm({ title: t("setup.forget_title"), text: t("setup.forget_text"), yes: t("setup.forget"), look: "danger" }))) return undefined;
  dialog.close();
  await settings.remove("terminal");
  await keepMember(null);
  api.useTerminal(null);
  clearSale();
  location.reload();
  return undefined;
}

/** The settings dialog: which terminal this is, who the cashier is, the keys, and the way out. */
export function openSettings() {
  const { context } = state;
  const cashier = input("cashier");
  cashier.maxLength = 20;
  cashier.value = state.cashier;
  cashier.addEventListener("change", async () => {
    change((now) => { now.cashier = cashier.value.trim(); });
    await settings.set("cashier", state.cashier);
  });
  const dialog = openDialog({
    title: t("pos.settings"),
    className: "settings",
    body: [
      h("dl", { class: "facts" },
        h("div", { class: "fact" }, h("dt", { class: "small muted" }, t("setup.store")), h("dd", { class: "strong" }, context.store.name)),
        h("div", { class: "fact" }, h("dt", { class: "small muted" }, t("setup.current")), h("dd", { class: "strong num" }, `${context.terminal.name || ""} ${context.terminal.id}`))),
      h("div", { class: "field" }, h("label", { for: "cashier" }, t("setup.cashier")), cashier),
      h("h3", null, t("setup.keys")),
      h("ul", { class: "keys" }, KEYS.map(([key, name]) => h("li", null, h("kbd", null, key), t(`keys.${name}`)))),
      h("p", { class: "tiny muted num" }, t("setup.clock", { ms: offset() })),
    ],
    actions: [button(t("setup.forget"), () => forget(dialog), "danger", { id: "forget" }), button(t("common.done"), () => dialog.close(), "primary")],
  });
}
