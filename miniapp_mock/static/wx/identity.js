/** Which phone this is: a random id kept in the browser, or the one named by `?as=` (two phones in one browser). */

const KEY = "wx:phone";
let session = "";

function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The id of this phone's WeChat user; 1–64 letters, digits, `-` and `_`. */
export function phoneId() {
  const named = new URLSearchParams(location.search).get("as");
  if (named && /^[\w-]{1,64}$/.test(named)) return named;
  try {
    let kept = localStorage.getItem(KEY);
    if (!kept) {
      kept = random();
      localStorage.setItem(KEY, kept);
    }
    return kept;
  } catch {
    session ||= random(); // storage is switched off: this phone lives as long as the page
    return session;
  }
}
