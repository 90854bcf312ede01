/** Code-128, set C: two digits a symbol, so 20 digits take 145 modules; a last odd one in set B. Source: ISO/IEC 15417:2007. */

const START_C = 105;
const CODE_B = 100;
const STOP = 106;

// widths of bar, space, bar, space, bar, space for values 0–105; the stop symbol has a seventh
export const WIDTHS = (
  "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122 123221 " +
  "223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 " +
  "112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 " +
  "311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 " +
  "122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 " +
  "214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
).split(" ");

/** The widths, bar and space by turns, of two digits or more with start, check and stop symbols. */
export function code128Widths(digits) {
  if (!/^\d\d+$/.test(digits)) throw new Error("two digits or more");
  const values = [START_C, ...digits.match(/\d\d/g).map(Number)];
  if (digits.length % 2) values.push(CODE_B, Number(digits.at(-1)) + 16);
  const check = values.reduce((sum, value, i) => sum + value * Math.max(1, i), 0) % 103;
  return [...values, check, STOP].map((value) => WIDTHS[value]).join("").split("").map(Number);
}

/** `{ path, width }`: an SVG path of the bars, one unit a module and `height` units high, and the width without quiet zones. */
export function code128Path(digits, height = 1) {
  let x = 0;
  let path = "";
  code128Widths(digits).forEach((width, i) => {
    if (i % 2 === 0) path += `M${x} 0h${width}v${height}h-${width}z`;
    x += width;
  });
  return { path, width: x };
}
