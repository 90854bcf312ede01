/** Addresses of screens: `/admin#/members?status=pending` ↔ `{ path: "members", query: { status: "pending" } }`. */
export function read(hash = location.hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  return { path: decode(path) || "home", query: Object.fromEntries(new URLSearchParams(query || "")) };
}

function decode(text) {
  try { return decodeURIComponent(text); } catch { return ""; }
}

/** The address of a screen, for links: `href("members", { status: "pending" })`. */
export function href(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `#/${path}${text ? `?${text}` : ""}`;
}

/** Go to a screen; `replace` leaves no step back to the one before. */
export function go(path, query = {}, { replace = false } = {}) {
  const to = href(path, query);
  if (!replace) { location.hash = to; return; }
  history.replaceState(null, "", to);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Write what a screen shows into its address, without opening it anew. */
export function note(path, query = {}) { history.replaceState(null, "", href(path, query)); }
