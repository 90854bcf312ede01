/** The strips of coupons and cards by keyboard: F10 leads there, arrows go along both, Enter takes what has the focus. */
import { announce } from "./notices.js";
import { t } from "./texts.js";

const chips = () => [...document.querySelectorAll("#coupons:not([hidden]) button:not(:disabled), #cards:not([hidden]) button:not(:disabled)")];

/** Lead the keyboard there: the best set of coupons comes first. */
export function focus() {
  const [first] = chips();
  if (first) first.focus();
  else announce(t("coupons.none"));
}

/** What a strip does with arrows. */
export function walk(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const all = chips();
  const at = all.indexOf(document.activeElement) + step;
  all[Math.max(0, Math.min(all.length - 1, at))]?.focus();
}
