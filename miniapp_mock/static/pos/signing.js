/** Signs a request as the contract says; the secret becomes a key that cannot be read back. */
const SCHEME = "HUIYUAN-HMAC-SHA256";
const encoder = new TextEncoder();

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Whether this page may use the browser's cryptography: only over HTTPS or on this machine. */
export function canSign() {
  return Boolean(globalThis.crypto?.subtle);
}

/** The terminal's secret as a non-extractable HMAC key. */
export function importSecret(secret) {
  return crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** Lowercase hex SHA-256 of a text's UTF-8 bytes. */
export async function digest(text) {
  return hex(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

/** A random string of `bytes` bytes in hex, for nonces and idempotency keys. */
export function random(bytes = 16) {
  return hex(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** The string that is signed; an absent key is an empty line. */
export function canonical({ method, target, timestamp, nonce, key = "", bodyHash }) {
  return [method, target, timestamp, nonce, key, bodyHash].join("\n");
}

/** The Authorization header of one request, with a nonce of its own, at `nowMs` of the server's clock. */
export async function authorization(terminal, { method, target, key, body, nowMs }) {
  const timestamp = String(Math.floor(nowMs / 1000));
  const nonce = random();
  const text = canonical({ method, target, timestamp, nonce, key, bodyHash: await digest(body || "") });
  const signature = hex(await crypto.subtle.sign("HMAC", terminal.key, encoder.encode(text)));
  return `${SCHEME} terminal=${terminal.id},timestamp=${timestamp},nonce=${nonce},signature=${signature}`;
}
