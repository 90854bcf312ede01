/** Code-128, set B: any printable ASCII, for order numbers on receipts. Source: ISO/IEC 15417:2007. */
import { WIDTHS } from "/static/shared/barcode.js";

const START_B = 104;
const STOP = 106;
const FIRST = 32; // the space is value 0

/** `{ path, width }`: an SVG path of the bars, one unit a module and `height` high; null for text that set B has not. */
export function textPath(text, height) {
  if (!/^[\x20-\x7e]+$/.test(text)) return null;
  const values = [START_B, ...Array.from(text, (character) => character.charCodeAt(0) - FIRST)];
  const check = values.reduce((sum, value, i) => sum + value * Math.max(1, i), 0) % 103;
  let x = 0;
  let path = "";
  const widths = [...values, check, STOP].map((value) => WIDTHS[value]).join("");
  Array.from(widths, Number).forEach((width, i) => {
    if (i % 2 === 0) path += `M${x} 0h${width}v${height}h-${width}z`;
    x += width;
  });
  return { path, width: x };
}
