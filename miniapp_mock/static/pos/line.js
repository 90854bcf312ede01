/** Whether the server is reached: the till says so at once, and asks until it is again. */
const PROBE_MS = 3000;

const listeners = new Set();
let up = true;
let probing = null;

export const isUp = () => up && navigator.onLine;

/** Call `listener(isUp)` at every change; returns a function that stops it. */
export function watch(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function set(value) {
  if (up === value) return;
  up = value;
  for (const listener of listeners) listener(isUp());
}

/** A request got no answer. */
export function lost() {
  set(false);
  probing ||= setInterval(probe, PROBE_MS);
}

/** A request was answered, whatever the answer. */
export function answered() {
  clearInterval(probing);
  probing = null;
  set(true);
}

async function probe() {
  if (!navigator.onLine) return;
  try {
    await fetch("/healthz", { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(2500) });
    answered();
  } catch {
    // still down
  }
}

/** Wait `ms`, or less where the line comes back meanwhile, or until `signal` ends it. */
export function pause(ms, signal) {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const wasUp = isUp();
    const done = () => {
      clearTimeout(timer);
      stop();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const stop = watch((nowUp) => { if (nowUp && !wasUp) done(); });
    signal?.addEventListener("abort", done);
  });
}

window.addEventListener("offline", lost);
window.addEventListener("online", probe);
