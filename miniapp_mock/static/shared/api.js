/**
 * The member API over `wx.request`: tokens with rotation (one refresh at a time), problem documents as errors, idempotency keys,
 * and the same request again after a lost answer.
 */

const REFRESH_EARLY_MS = 30000;
const TIMEOUT_MS = 12000;
const UPLOAD_TIMEOUT_MS = 45000; // a picture over a bad network
const LOST_TRIES = 3;
const SESSION = "session";

/** A refusal by the server: the problem document's members. */
export class ApiError extends Error {
  constructor(status, problem, retryAfterS) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.code = problem.code || "";
    this.detail = problem.detail || "";
    this.fields = Array.isArray(problem.errors) ? problem.errors : [];
    this.retryAfterS = retryAfterS;
    this.problem = problem;
  }
}

/** No answer came: nothing is known of what happened. */
export class NetworkError extends Error {
  constructor(reason) {
    super(reason);
    this.name = "NetworkError";
    this.code = /timeout/.test(reason) ? "timeout" : "network";
  }
}

/** A fresh key for one intent: 32 hexadecimal digits. Keep it and send it again with every retry of that intent. */
export async function newKey(wx) {
  const { randomValues } = await wx.getRandomValues({ length: 16 });
  return Array.from(new Uint8Array(randomValues), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Make a client. `onSignedOut(error)` is called when the session is over; `exclusive(run)` keeps other pages of the same phone
 * from refreshing at the same moment (two uses of one refresh token would end the session). While `online()` is false nothing is
 * repeated: the failure is told at once.
 */
export function createApi(wx, { base = "", onSignedOut = () => undefined, exclusive = (run) => run(), online = () => true } = {}) {
  let session = wx.getStorageSync(SESSION) || null;
  let refreshing = null;
  let clockOffsetMs = Number(wx.getStorageSync("clock_offset_ms")) || 0;

  function keep(tokens) {
    session = {
      access: tokens.access_token,
      refresh: tokens.refresh_token,
      until: Date.now() + (tokens.expires_in || 900) * 1000,
    };
    wx.setStorageSync(SESSION, session);
  }

  function forget() {
    session = null;
    wx.removeStorageSync(SESSION);
  }

  /** Learn the server's clock from the `Date` header (whole seconds); a small difference is noise. */
  function learnClock(header, sentAt) {
    const server = Date.parse(header.date || header.Date || "");
    if (!Number.isFinite(server)) return;
    const offset = server + 500 - (sentAt + Date.now()) / 2;
    if (Math.abs(offset - clockOffsetMs) > 1000) setClockOffset(offset);
  }

  function setClockOffset(offsetMs) {
    clockOffsetMs = Math.round(offsetMs);
    wx.setStorageSync("clock_offset_ms", clockOffsetMs);
  }

  function send(method, path, { body, query, token, key, type, timeout = TIMEOUT_MS } = {}) {
    const header = {};
    if (type) header["Content-Type"] = type;
    if (token) header.Authorization = `Bearer ${token}`;
    if (key) header["Idempotency-Key"] = key;
    const sentAt = Date.now();
    return new Promise((resolve, reject) => {
      wx.request({
        url: base + path,
        method,
        header,
        data: method === "GET" ? query : body,
        timeout,
        success: (answer) => {
          learnClock(answer.header || {}, sentAt);
          if (answer.statusCode < 400) resolve(answer.statusCode === 204 ? null : answer.data);
          else reject(problemOf(answer));
        },
        fail: (failure) => reject(new NetworkError(failure.errMsg)),
      });
    });
  }

  async function refreshOnce() {
    const kept = wx.getStorageSync(SESSION);
    if (!kept) throw new ApiError(401, { code: "unauthenticated" });
    if (session && kept.access !== session.access) {
      session = kept; // another page of this phone has been here
      if (kept.until - Date.now() > REFRESH_EARLY_MS) return;
    }
    try {
      keep(await send("POST", "/v1/member/token", { body: { refresh_token: kept.refresh } }));
    } catch (error) {
      if (error.status === 401 || error.status === 403) {
        forget();
        onSignedOut(error);
      }
      throw error;
    }
  }

  function refresh() {
    refreshing ||= exclusive(refreshOnce).finally(() => { refreshing = null; });
    return refreshing;
  }

  /** The access token, fresh; refreshes it when it is about to end. */
  async function accessToken() {
    if (!session) throw new ApiError(401, { code: "unauthenticated" });
    if (session.until - Date.now() < REFRESH_EARLY_MS) await refresh();
    return session.access;
  }

  async function authorized(method, path, options) {
    const token = await accessToken().catch((error) => { throw Object.assign(error, { unsent: true }); });
    try {
      return await send(method, path, { ...options, token });
    } catch (error) {
      if (error.status !== 401) throw error;
      if (session && session.access === token) await refresh();
      return send(method, path, { ...options, token: await accessToken() });
    }
  }

  /**
   * Repeat what is safe to repeat: reads, writes that carry a key, what changes nothing `again`; of refusals only "too many at once".
   * The error is `undone` where nothing can have happened: it was refused or never left, and no earlier try was lost.
   */
  async function persistent(method, path, options = {}) {
    const safe = method === "GET" || Boolean(options.key) || Boolean(options.again);
    let unclear = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await authorized(method, path, options);
      } catch (error) {
        const lost = error instanceof NetworkError || (error.status === 503 && error.code === "outcome_unknown");
        unclear ||= !error.unsent && !(error.status < 500 || error.code === "crowded");
        error.undone = !unclear;
        const again = error.code === "crowded" || (lost && safe); // of a crowd nothing was done
        if (!again || attempt >= (options.tries || LOST_TRIES) || !online()) throw error;
        await pause(error.retryAfterS ? error.retryAfterS * 1000 : 400 * 2 ** attempt);
      }
    }
  }

  return {
    /** Whether tokens are kept; they may be dead. */
    signedIn: () => Boolean(session),
    accessToken,
    forget,
    /** The server's time in milliseconds, as well as this phone knows it. */
    serverNow: () => Date.now() + clockOffsetMs,
    setClockOffset,

    /** Log in with WeChat; returns the answer of `/v1/member/login`. */
    async login() {
      const { code } = await wx.login();
      const answer = await send("POST", "/v1/member/login", { body: { js_code: code } });
      keep(answer);
      return answer;
    },

    /** End this session, or all of the member's; forgets the tokens even where the server cannot be asked. */
    async logout(everywhere = false) {
      try {
        await authorized("POST", "/v1/member/logout", { body: everywhere ? { everywhere: true } : {} });
      } catch (error) {
        if (everywhere && error.status !== 401) throw error; // "everywhere" must not be claimed in vain
      }
      forget();
    },

    /**
     * A call that says nothing of who makes it: `shown` (a ticket, a receipt, or nothing) instead of the session. What is safe to
     * repeat is repeated: reads, and writes that a ticket or a key makes one.
     */
    async unnamed(method, path, { shown = "", body, key } = {}) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await send(method, path, { body, key, token: shown, timeout: UPLOAD_TIMEOUT_MS });
        } catch (error) {
          if (!(error instanceof NetworkError) || attempt >= LOST_TRIES || !online()) throw error;
          await pause(400 * 2 ** attempt);
        }
      }
    },

    get: (path, query, options) => persistent("GET", path, { query, ...options }),
    post: (path, body = {}, options) => persistent("POST", path, { body, ...options }),
    put: (path, body = {}, options) => persistent("PUT", path, { body, ...options }),
    /** Send bytes of a media type where the same again changes nothing. */
    upload: (path, bytes, type) => persistent("POST", path, { body: bytes, type, again: true, timeout: UPLOAD_TIMEOUT_MS }),
    delete: (path, options) => persistent("DELETE", path, options),
  };
}

function problemOf(answer) {
  const problem = answer.data && typeof answer.data === "object" ? answer.data : {};
  const header = answer.header || {};
  const after = Number(header["retry-after"] || header["Retry-After"]);
  return new ApiError(answer.statusCode, problem, Number.isFinite(after) && after > 0 ? Math.min(after, 30) : 0);
}

function pause(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}
