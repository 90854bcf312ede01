/**
 * The dynamic codes, made on the phone without a network: prefix + handle (9 digits) + OTP (8 digits) + Luhn digit.
 * A step lasts 15 s; each step has one code of a purpose, and a code is good for one use. `MEMBER` identifies and pays,
 * `AUTHORISE` lets a till do what its cashier may not: neither is ever good for the other.
 */
import { fromBase64Url, hmacSha256 } from "./sha256.js";

export const STEP_S = 15;

export const MEMBER = { prefix: "70", label: "mc1" };
export const AUTHORISE = { prefix: "71", label: "ac1" };

/** The number of the step that holds at `serverMs` (milliseconds of the server's clock). */
export function stepAt(serverMs, stepS = STEP_S) {
  return Math.floor(serverMs / 1000 / stepS);
}

/** Seconds, with fraction, until the step after the one at `serverMs` begins. */
export function secondsLeft(serverMs, stepS = STEP_S) {
  return ((stepAt(serverMs, stepS) + 1) * stepS * 1000 - serverMs) / 1000;
}

/** The 20 digits that a device (`handle`, `secret` as base64url) shows in a step. */
export function codeFor(device, step, purpose = MEMBER) {
  const body = purpose.prefix + device.handle + otp(device, step, purpose);
  return body + luhnDigit(body);
}

/** Eight digits: RFC 4226 dynamic truncation of HMAC-SHA256(secret, label ‖ handle ‖ step as 8 bytes big-endian). */
export function otp(device, step, purpose = MEMBER) {
  const text = purpose.label + device.handle;
  const message = new Uint8Array(text.length + 8);
  for (let i = 0; i < text.length; i += 1) message[i] = text.charCodeAt(i);
  const view = new DataView(message.buffer);
  view.setUint32(text.length, Math.floor(step / 4294967296));
  view.setUint32(text.length + 4, step % 4294967296);
  const mac = hmacSha256(fromBase64Url(device.secret), message);
  const offset = mac[31] & 15;
  const word = ((mac[offset] & 0x7f) << 24) | (mac[offset + 1] << 16) | (mac[offset + 2] << 8) | mac[offset + 3];
  return String(word % 100000000).padStart(8, "0");
}

/** The digit that makes `digits` + it pass the Luhn test. */
export function luhnDigit(digits) {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return String((10 - (sum % 10)) % 10);
}
