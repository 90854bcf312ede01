/** What the basket costs: computed here at once, then by the server's quote, of which only the latest counts. */
import * as api from "./api.js";
import { trouble } from "./notices.js";
import { priceBasket, saleLines } from "./prices.js";
import { change, dropMember, onChange, state } from "./state.js";
import { allocate, saleTenders } from "./tenders.js";
import { t } from "./texts.js";

const DELAY_MS = 180;
const RESCAN = new Set(["code_invalid", "code_expired", "code_used", "scan_invalid", "scan_expired", "scan_used"]);

let asked = "";
let asking = null;
let timer = null;
let answer = Promise.resolve();

/** Whether a refusal means that the member must show a new code. */
export const needsRescan = (error) => RESCAN.has(error.code);

/** What the prices depend on. */
const basketKey = () => JSON.stringify([state.member?.scanToken, saleLines(state.lines)]);

/** The prices on the screen: `{ pieces, total, cut, member, payable, earned, phone }`; `exact` once the server agreed. */
export function prices() {
  const local = priceBasket(state.lines, state.member?.level?.discount_bp || 0);
  const { quote } = state;
  if (!quote || state.quoteOf !== basketKey()) return { ...local, exact: false, earned: null, phone: false };
  const member = quote.total_fen - local.cut - quote.payable_fen;
  return {
    pieces: local.pieces, cut: local.cut, total: quote.total_fen, member, payable: quote.payable_fen,
    exact: true, earned: quote.points_earned ?? null, phone: Boolean(quote.confirmation_required),
  };
}

/** How many fen a number of the member's points pays. */
export const pointsValue = (points) => Math.max(0, Math.floor((points * pointValueBp()) / 10000));

/** What one point pays, in 1/10000 fen. */
const pointValueBp = () => state.context?.limits?.point_value_fen_bp ?? 10000;

/** The member's balances in fen, by tender; without a member nothing of theirs can pay. */
export function limits() {
  const { member } = state;
  if (!member) return { stored: 0, points: 0, rebate: 0 };
  return {
    stored: member.wallet.stored?.total_fen ?? 0,
    points: pointsValue(member.wallet.points?.available ?? 0),
    rebate: member.wallet.rebate_fen ?? 0,
    pointsStep: Math.max(1, Math.floor(pointValueBp() / 10000)), // whole points only
  };
}

/** The tenders as they stand. */
export const shares = () => allocate(prices().payable, state.choice, limits());

/** A sale's body as it stands; while something is missing, cash takes what is left. */
export function saleBody(orderNo) {
  const split = shares();
  const tenders = split.remaining ? [{ type: "cash" }] : saleTenders(split, state.choice.reference.trim());
  const body = { scan_token: state.member.scanToken, code_entry: state.member.entry, order_no: orderNo, lines: saleLines(state.lines), tenders };
  if (state.cashier) body.cashier = state.cashier;
  return body;
}

/** Resolves when no quote is under way. */
export async function settled() {
  clearTimeout(timer);
  follow(0);
  await answer;
}

/** Ask again, whatever was asked before. */
export function refresh() {
  asked = "";
  follow(0);
}

async function ask(body, key) {
  asking?.abort();
  asking = new AbortController();
  const mine = asking;
  try {
    const quote = await api.quote(body, mine.signal);
    if (!mine.signal.aborted) change((now) => Object.assign(now, { quote, quoteOf: key }));
  } catch (error) {
    if (mine.signal.aborted) return;
    asked = "";
    if (error.status === undefined) return; // the line; the banner says so
    if (needsRescan(error)) dropMember();
    trouble(error, needsRescan(error) ? { text: t("member.scan"), run: () => {} } : { text: t("common.retry"), run: refresh });
  }
}

function follow(delayMs) {
  if (!state.member || !state.lines.length || state.settling) {
    clearTimeout(timer);
    asking?.abort();
    asked = "";
    return;
  }
  const body = saleBody(state.orderNo || "quote");
  const wish = JSON.stringify(body);
  if (wish === asked) return;
  asked = wish;
  clearTimeout(timer);
  const send = () => { answer = ask(body, basketKey()); };
  if (delayMs) timer = setTimeout(send, delayMs);
  else send();
}

export function start() {
  onChange(() => follow(DELAY_MS));
}
