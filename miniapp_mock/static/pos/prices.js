/** A basket's prices as the contract computes them, so that the screen answers at once; the server's quote has the last word. */

export const gross = (line) => line.qty * line.unit_price_fen;

/** The till's own discount of a line: a fixed amount, or a share in basis points that follows the quantity. */
export function cutFen(line) {
  if (!line.cut) return 0;
  const fen = line.cut.kind === "rate" ? Math.floor((gross(line) * line.cut.value) / 10000) : line.cut.value;
  return Math.min(fen, gross(line));
}

/** What a line costs with the member's level discount (basis points; 0 without member). */
export function linePayable(line, levelBp) {
  const base = gross(line) - cutFen(line);
  return base - Math.floor((base * levelBp) / 10000);
}

/** Sums over a basket. */
export function priceBasket(lines, levelBp) {
  const sums = { pieces: 0, total: 0, cut: 0, member: 0, payable: 0 };
  for (const line of lines) {
    const payable = linePayable(line, levelBp);
    sums.pieces += line.qty;
    sums.total += gross(line);
    sums.cut += cutFen(line);
    sums.payable += payable;
  }
  sums.member = sums.total - sums.cut - sums.payable;
  return sums;
}

/** The lines as a sale's body says them. */
export function saleLines(lines) {
  return lines.map((line) => {
    const fields = { sku: line.sku, name: line.name, qty: line.qty, unit_price_fen: line.unit_price_fen };
    if (line.category) fields.category = line.category;
    if (cutFen(line)) fields.discount_fen = cutFen(line);
    return fields;
  });
}
