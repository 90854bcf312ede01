/**
 * The staff API. Every call resolves with the parsed answer (null for 204) and rejects with an `ApiError` (`status`, `code`,
 * `detail`, `fields` of `{pointer, message}`) or a `NetworkError`. Reads are repeated after a lost answer, and so are writes that
 * carry a key; a dead access token is exchanged once.
 */
import { NetworkError } from "/static/shared/api.js";
import { accessToken, send } from "./session.js";

const TRIES = 3;

/** A fresh key for one intent: keep it and send it again with every retry of that intent. */
export function newKey() { return crypto.randomUUID().replaceAll("-", ""); }

/** `/v1/admin/x` and `{ limit: 50, cursor: null }` → `/v1/admin/x?limit=50`; a list repeats its name. */
export function address(path, query = {}) {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") pairs.append(name, String(one));
    }
  }
  const text = pairs.toString();
  return text ? `${path}?${text}` : path;
}

async function authorized(method, path, options) {
  const token = await accessToken();
  try {
    return await send(method, path, { ...options, token });
  } catch (error) {
    if (error.status !== 401) throw error;
    return send(method, path, { ...options, token: await accessToken({ anew: true, than: token }) });
  }
}

async function persistent(method, path, options = {}) {
  const safe = method === "GET" || Boolean(options.key) || options.again;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await authorized(method, path, options);
    } catch (error) {
      const lost = error instanceof NetworkError || error.code === "outcome_unknown";
      const again = error.code === "crowded" || (lost && safe);
      if (!again || attempt >= TRIES || (options.signal && options.signal.aborted)) throw error;
      await new Promise((resolve) => { setTimeout(resolve, error.retryAfterS ? Math.min(error.retryAfterS, 30) * 1000 : 400 * 2 ** attempt); });
    }
  }
}

export const get = (path, query, options) => persistent("GET", address(path, query), options);
/** `options`: `key` for what a retry must not double, `again` for what may be repeated as it is (a look-up), `signal`. */
export const post = (path, body = {}, options = {}) => persistent("POST", path, { body, ...options });
export const put = (path, body = {}, options = {}) => persistent("PUT", path, { body, again: true, ...options });
export const patch = (path, body = {}, options = {}) => persistent("PATCH", path, { body, ...options });
export const remove = (path, options = {}) => persistent("DELETE", path, { again: true, ...options });

/** The text of an answer that is no JSON: a chart's SVG, for example. */
export async function text(path, query, options) {
  const answer = await persistent("GET", address(path, query), { ...options, raw: true });
  return answer.text();
}

/** Fetch a file (an export) and hand it to the browser's downloads; `name` where the answer gives none. */
export async function download(path, query, name) {
  await save(await persistent("GET", address(path, query), { raw: true, timeoutMs: 300000 }), name);
}

/** The same of a file that is given out once. */
export async function take(path, name) { await save(await persistent("POST", path, { raw: true, timeoutMs: 300000 }), name); }

async function save(answer, name) {
  const given = /filename\*=UTF-8''([^;]+)/i.exec(answer.headers.get("Content-Disposition") || "")
    || /filename="?([^";]+)"?/i.exec(answer.headers.get("Content-Disposition") || "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = given ? decodeURIComponent(given[1]) : name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
