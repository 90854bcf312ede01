/** wx.request, wx.connectSocket and the network's state, over fetch and WebSocket. */
import { api } from "./core.js";

const METHODS = new Set(["OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT"]); // wx has no PATCH
const DEFAULT_TIMEOUT_MS = 60000;

/** Send a request; `data` goes out as JSON (GET: as a query), a text or bytes as they are, JSON comes back parsed. Returns a task that can be aborted. */
export function request(options) {
  const { url, data, header = {}, method = "GET", timeout = DEFAULT_TIMEOUT_MS, dataType = "json" } = options;
  const abort = new AbortController();
  let late = false;
  const timer = setTimeout(() => { late = true; abort.abort(); }, timeout);

  async function run() {
    if (!METHODS.has(method)) throw new Error("method is invalid");
    const target = new URL(url, location.href);
    const init = { method, headers: { ...header }, signal: abort.signal, credentials: "omit", cache: "no-store", redirect: "error" };
    if (data !== undefined && method === "GET") {
      for (const [key, value] of Object.entries(data)) target.searchParams.set(key, String(value));
    } else if (data !== undefined) {
      init.body = typeof data === "string" || data instanceof ArrayBuffer ? data : JSON.stringify(data);
      if (!Object.keys(header).some((key) => key.toLowerCase() === "content-type")) init.headers["content-type"] = "application/json";
    }
    const response = await fetch(target, init);
    const text = await response.text();
    return { data: parsed(text, dataType), statusCode: response.status, header: Object.fromEntries(response.headers), errMsg: "request:ok" };
  }

  run().then(
    (result) => { clearTimeout(timer); options.success?.(result); options.complete?.(result); },
    (error) => {
      clearTimeout(timer);
      const reason = late ? "timeout" : abort.signal.aborted ? "abort" : error.message;
      const failure = { errMsg: `request:fail ${reason}`, errno: late ? 5 : 600001 };
      options.fail?.(failure);
      options.complete?.(failure);
    },
  );
  return { abort: () => abort.abort() };
}

function parsed(text, dataType) {
  if (dataType !== "json") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Open a WebSocket; the task takes one listener of each kind. */
export function connectSocket({ url, protocols = [] }) {
  const target = new URL(url, location.href);
  target.protocol = target.protocol.replace(/^http/, "ws");
  const listeners = {};
  const socket = new WebSocket(target, protocols);
  socket.onopen = () => listeners.open?.({});
  socket.onmessage = (event) => listeners.message?.({ data: event.data });
  socket.onerror = () => listeners.error?.({ errMsg: "connectSocket:fail" });
  socket.onclose = (event) => listeners.close?.({ code: event.code, reason: event.reason });
  return {
    onOpen: (listener) => { listeners.open = listener; },
    onMessage: (listener) => { listeners.message = listener; },
    onError: (listener) => { listeners.error = listener; },
    onClose: (listener) => { listeners.close = listener; },
    send: ({ data }) => socket.send(data),
    close: ({ code = 1000, reason = "" } = {}) => socket.close(code, reason),
  };
}

const networkListeners = new Set();
const networkType = () => (navigator.onLine ? "wifi" : "none");
for (const event of ["online", "offline"]) {
  addEventListener(event, () => networkListeners.forEach((listener) => listener({ isConnected: navigator.onLine, networkType: networkType() })));
}

export const getNetworkType = api("getNetworkType", () => ({ networkType: networkType() }));

/** Call `listener({ isConnected, networkType })` whenever the network comes or goes. */
export function onNetworkStatusChange(listener) {
  networkListeners.add(listener);
}

/** Stop calling it. */
export function offNetworkStatusChange(listener) {
  networkListeners.delete(listener);
}
