/** Six dots and a pad of digits; the keyboard's digits work as well. */
import { fill, h } from "../shared/dom.js";
import { glyph } from "./icons.js";
import { t } from "./texts.js";

const LENGTH = 6;

/** `{ node, clear(), setBusy(on), focus() }`; `onFull(pin)` once six digits are there. */
export function pinPad(onFull) {
  let digits = "";
  let locked = false;
  const dots = Array.from({ length: LENGTH }, () => h("span", { class: "pin-dot" }));
  const spoken = h("span", { class: "sr-only", "aria-live": "polite" });
  const key = (value) => h("button", { type: "button", class: "pin-key num", onclick: () => press(value) }, value);
  const erase = h("button", { type: "button", class: "pin-key pin-erase", "aria-label": t("pin.delete"), onclick: () => drop() }, glyph("backspace", 26));
  const keys = [..."123456789"].map(key);
  const pad = h("div", { class: "pin-keys" }, keys, h("span", { class: "pin-gap" }), key("0"), erase);
  const node = h("div", { class: "pin", onkeydown: typed }, h("div", { class: "pin-dots", "aria-hidden": "true" }, dots), spoken, pad);

  function draw() {
    dots.forEach((dot, i) => dot.classList.toggle("on", i < digits.length));
    fill(spoken, t("pin.dots", { count: digits.length }));
  }

  function press(value) {
    if (locked || digits.length >= LENGTH) return;
    digits += value;
    draw();
    if (digits.length === LENGTH) {
      const pin = digits;
      setTimeout(() => onFull(pin), 120); // the last dot is seen before the answer comes
    }
  }

  function drop() {
    if (locked) return;
    digits = digits.slice(0, -1);
    draw();
  }

  function typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^\d$/.test(event.key)) {
      event.preventDefault();
      press(event.key);
    } else if (event.key === "Backspace") {
      event.preventDefault();
      drop();
    }
  }

  return {
    node,
    clear() {
      digits = "";
      locked = false;
      draw();
    },
    setBusy(on) {
      locked = on;
      node.classList.toggle("busy", on);
    },
    focus: () => keys[0].focus({ preventScroll: true }),
  };
}
