/** What a table or shelf is called, and what its QR code says. Pure. */
import { t } from "./texts.js";

/** "A1 桌"; a shelf, and a table that says so itself, by its name. */
export const spotWord = ({ kind, name }) => (kind === "table" && !/[桌台]$/.test(name) ? t("spot.table", { name }) : name);

/** The code that the page was started with: `?spot=` itself, or the whole link in `q`, as WeChat gives that of an ordinary QR code. */
export const launchedSpot = ({ spot, q }) => spot || spotIn(decoded(q || ""));

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** The code in a link that was scanned (`…/?spot=<code>`), or "". */
export function spotIn(text) {
  const found = /[?&]spot=([^&#]{1,200})/.exec(text);
  return found ? decoded(found[1]) : "";
}
