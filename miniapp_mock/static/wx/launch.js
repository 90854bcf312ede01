/** What a QR code or a link started the page with. It counts for this start: the address forgets it, so that a reload is none. */

const OURS = ["as"]; // which phone the simulator plays

const asked = new URLSearchParams(location.search);
const query = Object.fromEntries(asked);
const left = new URLSearchParams([...asked].filter(([name]) => OURS.includes(name))).toString();
if (left !== asked.toString()) history.replaceState(history.state, "", `${location.pathname}${left && `?${left}`}${location.hash}`);

/** `{ query }`, as wx gives it. */
export const getLaunchOptionsSync = () => ({ query });
