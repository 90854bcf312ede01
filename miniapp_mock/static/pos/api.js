/** The POS API: signed calls, answers or `Problem` or `LineDown`. Nothing here retries but a request that met a wrong clock. */
import { observe, offset, serverNow } from "./clock.js";
import * as line from "./line.js";
import { authorization } from "./signing.js";

const TIMEOUT_MS = 12000;
const SKEW_MS = 60000;

/** A refusal by the server: `code`, `detail`, `status`, `retryAfterMs`, and `couponId` where a coupon is the reason. */
export class Problem extends Error {
  constructor(status, body, retryAfterMs) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code || `http_${status}`;
    this.detail = body.detail || "";
    this.fields = body.errors || [];
    this.couponId = body.coupon_id || null;
    this.missing = body.discount_fen === undefined ? null : { discount_fen: body.discount_fen, allowed_fen: body.allowed_fen, beyond_fen: body.discount_fen - body.allowed_fen };
    this.of = body.of || null; // whose code it is, where it is not the customer's
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer came: what the request did is unknown. */
export class LineDown extends Error {}

let terminal = null;

/** Use this terminal (`{ id, key }`) for all calls from now on; null forgets it. */
export function useTerminal(value) {
  terminal = value;
}

/** The id of the terminal in use. */
export const terminalId = () => terminal?.id;

/** One signed call. `body` is the exact text to send; `query` an object. Returns `{ data, replayed }`. */
export async function call(method, path, options = {}) {
  const before = offset();
  try {
    return await attempt(method, path, options);
  } catch (error) {
    const skewed = error.status === 401 && Math.abs(offset() - before) > SKEW_MS;
    if (!skewed) throw error;
    return attempt(method, path, options);
  }
}

async function attempt(method, path, { query, body, key, signal, timeoutMs = TIMEOUT_MS, as = terminal } = {}) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query || {})) url.searchParams.set(name, value);
  const headers = { Accept: "application/json" };
  headers.Authorization = await authorization(as, { method, target: url.pathname + url.search, key, body, nowMs: serverNow() });
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  const signals = [AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])];
  const sentMs = Date.now();
  let response;
  let text;
  try {
    response = await fetch(url, { method, headers, body, signal: AbortSignal.any(signals), cache: "no-store", credentials: "omit" });
    observe(response.headers.get("Date"), sentMs, Date.now());
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    line.lost();
    throw new LineDown(error.message);
  }
  line.answered();
  return read(response, text);
}

function read(response, text) {
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    data = null; // a proxy's page
  }
  if (response.status === 204) return { data: null, replayed: false };
  if (response.ok && data) return { data, replayed: response.headers.get("Idempotency-Replayed") === "true" };
  if (response.ok) throw new LineDown("an answer that is not ours");
  const seconds = Number(response.headers.get("Retry-After"));
  throw new Problem(response.status, data && typeof data === "object" ? data : {}, seconds > 0 ? seconds * 1000 : null);
}

const json = (value) => JSON.stringify(value);

/** Terminal, store, chain and limits; with `as` to try another terminal before keeping it. */
export const getContext = (as) => call("GET", "/v1/pos/context", as ? { as } : {}).then(({ data }) => data);

export const findArticles = (query, limit, signal) =>
  call("GET", "/v1/pos/articles", { query: { query, limit }, signal }).then(({ data }) => data.items);

export const scan = (code) => call("POST", "/v1/pos/scan", { body: json({ code }), timeoutMs: 6000 }).then(({ data }) => data);

export const quote = (sale, signal) => call("POST", "/v1/pos/quotes", { body: json(sale), signal, timeoutMs: 6000 }).then(({ data }) => data);

export const checkGiftCard = (cardNo, pin) =>
  call("POST", "/v1/pos/gift-cards/check", { body: json({ card_no: cardNo, pin }), timeoutMs: 6000 }).then(({ data }) => data);

/** What waits in this store under a pick-up code. */
export const findPickup = (code) => call("POST", "/v1/pos/pickups", { body: json({ code }), timeoutMs: 6000 }).then(({ data }) => data);

/** What waits in this store under a gift's code, in the shape of an order. */
export const findGift = (code) => call("POST", "/v1/pos/gift-pickups", { body: json({ code }), timeoutMs: 6000 }).then(({ data }) => ({
  gift: true, order_id: data.id, member_name_masked: data.member_name_masked, handed_at: data.handed_over_at, due_on: data.due_on,
  lines: [{ qty: data.quantity, name: data.title, spec: "", sku: data.sku }],
}));

/** Where an order, or a gift, is handed over. */
export const pickupPath = ({ order_id: id, gift }) => `/v1/pos/${gift ? "gift-pickups" : "pickups"}/${encodeURIComponent(id)}/handover`;

/** What was ordered at this store's tables and shelves and waits there, longest first. */
export const listToServe = () => call("GET", "/v1/pos/spot-orders", { timeoutMs: 6000 }).then(({ data }) => data.items);

/** Where it is noted that an order was brought. */
export const servePath = ({ order_id: id }) => `/v1/pos/spot-orders/${encodeURIComponent(id)}/serve`;

/** A call that moves nothing, or whose repetition does no harm. */
export const post = (path, body) => call("POST", path, { body: json(body), timeoutMs: 8000 }).then(({ data }) => data);
export const get = (path) => call("GET", path, { timeoutMs: 8000 }).then(({ data }) => data);

export const getSale = (id) => call("GET", `/v1/pos/sales/${encodeURIComponent(id)}`, { timeoutMs: 6000 }).then(({ data }) => data);

export const findSale = (orderNo) => call("GET", "/v1/pos/sales", { query: { order_no: orderNo } }).then(({ data }) => data);
