/**
 * Who is logged in. The access token lives in memory only; the refresh token in this tab's session storage, so that a reload goes
 * on. A tab that was copied from another finds the same refresh token: two who use it would end the session, so the copy logs in.
 */
import { ApiError, NetworkError } from "/static/shared/api.js";

const REFRESH = "huiyuan-console";
const TAB = "huiyuan-console-tab";
const DEVICE = "huiyuan-console-device"; // of each who logs in here: what the chain knows this browser by
const EARLY_MS = 30000;
const TIMEOUT_MS = 20000;
const RELOAD_MS = 1500; // the page before may hold the tab's lock for a moment

let access = null;
let until = 0;
let refreshing = null;
let lost = () => undefined;

/** Be told when the session has ended, once each time: `listener(error)`. */
export function onLost(listener) { lost = listener; }

/** Send one request without a token; resolves with the parsed answer (null for none), rejects with ApiError or NetworkError. */
export async function send(method, path, { body, token, key, signal, timeoutMs = TIMEOUT_MS, raw = false } = {}) {
  const headers = {};
  const file = body instanceof Blob;
  if (body !== undefined) headers["Content-Type"] = file ? body.type : "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  if (key) headers["Idempotency-Key"] = key;
  const patience = AbortSignal.timeout(timeoutMs);
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined || file ? body : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
      credentials: "omit",
      cache: "no-store",
    });
    if (answer.ok && raw) return answer;
    const text = await answer.text();
    const content = text ? JSON.parse(text) : null;
    if (answer.ok) return content;
    throw new ApiError(answer.status, content || {}, Number(answer.headers.get("Retry-After")) || 0);
  } catch (error) {
    if (error instanceof ApiError || (signal && signal.aborted)) throw error;
    if (answer && !answer.ok) throw new ApiError(answer.status, {}, 0); // a proxy's page
    throw new NetworkError(patience.aborted ? "timeout" : "network");
  }
}

function keep(tokens) {
  access = tokens.access_token;
  until = Date.now() + (tokens.expires_in || 900) * 1000;
  sessionStorage.setItem(REFRESH, tokens.refresh_token);
}

function forget() {
  access = null;
  sessionStorage.removeItem(REFRESH);
}

/** Whether this tab has a session to go on with. */
export function kept() { return sessionStorage.getItem(REFRESH) !== null; }

/** Make this tab the only one with its session; forgets the session of a tab that it was copied from. */
export async function holdTab() {
  const tab = sessionStorage.getItem(TAB) || crypto.randomUUID();
  sessionStorage.setItem(TAB, tab);
  if (!navigator.locks) return;
  if (await hold(tab)) return;
  forget();
  const own = crypto.randomUUID();
  sessionStorage.setItem(TAB, own);
  await hold(own);
}

function hold(tab) {
  return new Promise((resolve) => {
    const held = () => { resolve(true); return new Promise(() => undefined); };
    navigator.locks.request(`huiyuan-console-${tab}`, { signal: AbortSignal.timeout(RELOAD_MS) }, held).catch(() => resolve(false));
  });
}

/** Begin a session; `code` is the second factor's (six digits) or a recovery code. */
export async function logIn(username, password, code) {
  const second = /^\d{6}$/.test(code) || !code ? { totp: code || null } : { recovery: code };
  const place = `${DEVICE}-${username.toLowerCase()}`;
  try {
    const begun = await send("POST", "/v1/admin/login", { body: { username, password, ...second, device: localStorage.getItem(place) || "" } });
    if (begun.device) localStorage.setItem(place, begun.device);
    keep(begun);
  } catch (error) {
    if (error.code === "device_unknown" && error.problem?.device) localStorage.setItem(place, error.problem.device);
    throw error;
  }
}

/** Set a password with a link; answers whose it is. */
export const useLink = (token, password) => send("POST", "/v1/admin/links/use", { body: { token, password } });

/** End the session, here and at the server where it can be reached. */
export async function logOut() {
  const token = access;
  forget();
  if (token) await send("POST", "/v1/admin/logout", { token }).catch(() => undefined);
}

async function refreshOnce() {
  const refresh = sessionStorage.getItem(REFRESH);
  if (!refresh) throw ended(new ApiError(401, { code: "unauthenticated" }, 0));
  try {
    keep(await send("POST", "/v1/admin/token", { body: { refresh_token: refresh } }));
  } catch (error) {
    throw error.status === 401 || error.status === 403 ? ended(error) : error;
  }
}

function ended(error) {
  forget();
  lost(error);
  return error;
}

/** The access token, fresh; one refresh at a time, for the old refresh token is dead after it. */
export async function accessToken({ anew = false, than = null } = {}) {
  if (anew && access !== than) anew = false; // somebody else has refreshed it meanwhile
  if (anew || !access || until - Date.now() < EARLY_MS) {
    refreshing ||= refreshOnce().finally(() => { refreshing = null; });
    await refreshing;
  }
  return access;
}
