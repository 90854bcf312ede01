/**
 * What was ordered at this store's tables and shelves and waits to be brought there. The till asks every ten seconds while its
 * page is looked at, seldomer while it gets no answer, and not at all while the line is cut.
 */
import * as api from "./api.js";
import { isUp, pause } from "./line.js";
import { change } from "./state.js";

const EVERY_MS = 10_000;
const SELDOM_MS = 120_000;

/** `items` is null until the first answer; `at` when it came; `trouble` why the last request brought none. */
export const known = { items: null, at: null, trouble: null };

const listeners = new Set();
const served = new Set(); // by this till, while an answer from before may still name them
let failures = 0;
let asking = null;
let rest = null;
let started = false;

/** Call `listener(newcomers)` whenever something was learnt; `newcomers` were not there before. */
export function onNews(listener) {
  listeners.add(listener);
}

function tell(facts) {
  const before = known.items && new Set(known.items.map(({ order_id: id }) => id));
  Object.assign(known, facts);
  change((now) => { now.toServeCount = known.items?.length || 0; });
  const newcomers = before && known.items ? known.items.filter(({ order_id: id }) => !before.has(id)) : [];
  for (const listener of listeners) listener(newcomers);
}

async function ask() {
  const terminal = api.terminalId();
  try {
    const items = await api.listToServe();
    if (terminal !== api.terminalId()) return;
    failures = 0;
    for (const id of served) if (!items.some((one) => one.order_id === id)) served.delete(id);
    tell({ items: items.filter(({ order_id: id }) => !served.has(id)), at: Date.now(), trouble: null });
  } catch (error) {
    if (terminal !== api.terminalId()) return;
    failures += 1;
    tell({ trouble: error });
  }
}

/** Ask now; who asks meanwhile waits for the same answer. */
export function refresh() {
  asking ||= ask().finally(() => { asking = null; });
  return asking;
}

/** It was brought: no list names it any more, an answer from before neither. */
export function forget(id) {
  served.add(id);
  tell({ items: (known.items || []).filter((one) => one.order_id !== id) });
}

const waitMs = () => Math.max(known.trouble?.retryAfterMs || 0, Math.min(SELDOM_MS, EVERY_MS * 2 ** failures));

async function watchOver() {
  for (;;) {
    if (document.visibilityState === "visible" && isUp()) await refresh();
    rest = new AbortController();
    await pause(waitMs(), rest.signal);
  }
}

/** Begin to ask, for the terminal that is in use now. */
export function start() {
  served.clear();
  failures = 0;
  tell({ items: null, at: null, trouble: null });
  if (started) {
    rest?.abort();
    return;
  }
  started = true;
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") rest?.abort(); });
  watchOver();
}
