/**
 * Money-moving requests that happen once. An attempt is kept with its key and its exact body before it is first sent, and
 * sent again with the same key until the server decides; so a cut line, a reload or a crash never doubles it.
 */
import { call, LineDown, Problem, terminalId } from "./api.js";
import { isUp, pause } from "./line.js";
import { random } from "./signing.js";
import { attempts } from "./store.js";

const BACKOFF_MS = [600, 1200, 2500, 5000, 8000];

/** The cashier put the attempt aside; it stays kept and unanswered. */
export class PutAside extends Error {}

/** Keys of the attempts that somebody is sending or waiting for; the others may be taken up. */
export const inHand = new Set();

/** Keep a new attempt: what to send, and `memo`, what the till needs to show its result. */
export async function begin(kind, path, body, memo) {
  const attempt = { key: `${kind}-${random()}`, kind, path, body: JSON.stringify(body), memo, terminal: terminalId(), begunAt: Date.now() };
  await attempts.put(attempt);
  inHand.add(attempt.key);
  return attempt;
}

/** The attempt is over: its outcome is known and shown. */
export async function end(attempt) {
  await attempts.remove(attempt.key);
  inHand.delete(attempt.key);
}

/** Remember something of an attempt that goes on (the sale that waits for the phone). */
export async function note(attempt, facts) {
  Object.assign(attempt, facts);
  await attempts.put(attempt);
}

/** This terminal's attempts of unknown outcome that nobody has in hand, oldest first; a key counts for its terminal only. */
export async function unfinished() {
  const rows = await attempts.all();
  return rows.filter((row) => row.terminal === terminalId() && !inHand.has(row.key)).sort((a, b) => a.begunAt - b.begunAt);
}

/** Whether a refusal says that nothing was done under this key; one at the door (401, 403) says so of the first try only. */
function decides(problem, inDoubt) {
  if (problem.code.startsWith("http_")) return false; // not the server's own word
  return [400, 404, 409, 413, 415, 422].includes(problem.status) || (!inDoubt && [401, 403].includes(problem.status));
}

/**
 * Send until the server decides; returns its answer, or throws its refusal, or `PutAside` when `signal` ends it.
 * `onWait({ tries, problem, untilMs, skip })` is told before each pause, `onSend()` before each try.
 * A refusal to a retry is final: the key is looked up before anything is judged, so nothing was done under it.
 */
export async function send(attempt, { signal, onWait, onSend, resumed = false } = {}) {
  let inDoubt = resumed;
  for (let tries = 1; ; tries += 1) {
    if (signal?.aborted) throw new PutAside();
    onSend?.();
    let trouble;
    try {
      return (await call("POST", attempt.path, { body: attempt.body, key: attempt.key, signal })).data;
    } catch (error) {
      if (signal?.aborted) throw new PutAside();
      if (error instanceof Problem ? decides(error, inDoubt) : !(error instanceof LineDown)) throw error;
      trouble = error;
      inDoubt ||= error.status !== 429;
    }
    const waitMs = Math.max(trouble.retryAfterMs || 0, BACKOFF_MS[Math.min(tries, BACKOFF_MS.length) - 1]);
    const waited = new AbortController();
    const skip = () => waited.abort();
    onWait?.({ tries, problem: trouble instanceof Problem ? trouble : null, untilMs: Date.now() + waitMs, offline: !isUp(), skip });
    await pause(waitMs, AbortSignal.any([waited.signal, ...(signal ? [signal] : [])]));
  }
}
