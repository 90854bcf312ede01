/** How long an order still waits for its payment. */
import { fill, h } from "../shared/dom.js";
import { countdown, time } from "../shared/format.js";
import { glyph } from "./icons.js";
import { t } from "./texts.js";

/**
 * A clock that runs down to `until`: `{ node, over(), stop() }`; `onOver()` once it is there. Those who do not watch it run
 * hear until when.
 */
export function payClock(app, until, onOver) {
  const ends = Date.parse(until);
  const left = () => Math.ceil((ends - app.api.serverNow()) / 1000);
  const number = h("span", { class: "num strong", "aria-hidden": "true" });
  const words = h("span", null);
  const node = h("p", { class: "pay-clock", role: "timer", "aria-label": t("order.pay_before", { time: time(until) }) }, glyph("clock", 18), words, number);

  function tick() {
    const seconds = left();
    if (seconds > 0) {
      number.textContent = countdown(seconds);
      return;
    }
    clearInterval(timer);
    fill(words, t("order.pay_over"));
    number.textContent = "";
    node.removeAttribute("role");
    node.removeAttribute("aria-label");
    onOver();
  }

  const timer = setInterval(tick, 1000);
  fill(words, t("order.pay_left"));
  if (left() > 0) tick();
  else setTimeout(tick);
  return { node, over: () => left() <= 0, stop: () => clearInterval(timer) };
}
