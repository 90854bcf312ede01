/**
 * Tickets with which one writes without saying who one is: a nonce that the server signs without seeing it. What it signs is
 * blinded by a random factor, which only this phone knows and forgets. Source: RFC 9474 (RSABSSA-SHA384-PSS-Deterministic), RFC 8017.
 */
import { fromBase64Url } from "./sha256.js";
import { sha384 } from "./sha384.js";

const EXPONENT = 65537n;
const HASH = 48;
const SALT = 48;
const NONCE = 32;
const SPARE = 16; // more random bytes than the modulus has: what is left over is the same for all

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const ascii = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

function toNumber(bytes) {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function toBytes(value, size) {
  const bytes = new Uint8Array(size);
  for (let i = size - 1, rest = value; i >= 0; i -= 1, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

function toBase64Url(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (bytes[at] << 16) | ((bytes[at + 1] || 0) << 8) | (bytes[at + 2] || 0);
    const letters = Math.min(4, bytes.length - at + 1);
    for (let i = 0; i < letters; i += 1) text += ALPHABET[(group >> (18 - 6 * i)) & 63];
  }
  return text;
}

function power(base, exponent, modulus) {
  let result = 1n;
  for (let square = base % modulus, left = exponent; left > 0n; left >>= 1n, square = (square * square) % modulus) {
    if (left & 1n) result = (result * square) % modulus;
  }
  return result;
}

function inverse(value, modulus) {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (a > 1n) {
    if (b === 0n) throw new Error("no inverse");
    const times = a / b;
    [a, b] = [b, a % b];
    [x, y] = [y, x - times * y];
  }
  return ((x % modulus) + modulus) % modulus;
}

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function mask(seed, length) {
  const pieces = [];
  for (let counter = 0; counter * HASH < length; counter += 1) pieces.push(sha384(join(seed, new Uint8Array([0, 0, 0, counter]))));
  return join(...pieces).slice(0, length);
}

/** EMSA-PSS with SHA-384. */
function encode(message, salt, bits) {
  const size = Math.ceil(bits / 8);
  const digest = sha384(join(new Uint8Array(8), sha384(message), salt));
  const block = join(new Uint8Array(size - SALT - HASH - 2), new Uint8Array([1]), salt);
  const over = mask(digest, block.length);
  const masked = block.map((byte, i) => byte ^ over[i]);
  masked[0] &= 0xff >> (8 * size - bits);
  return join(masked, digest, new Uint8Array([0xbc]));
}

/**
 * A ticket under way for the key that `/v1/anonymous/key` told: `blinded` is what the server signs, `finish(signature)` the ticket.
 * `random(length)` brings random bytes.
 */
export async function blind(key, random) {
  const modulus = toNumber(fromBase64Url(key.modulus));
  const bits = modulus.toString(2).length;
  const size = Math.ceil(bits / 8);
  const nonce = await random(NONCE);
  const message = join(ascii(`${key.label}\n${key.key_id}\n`), nonce);
  const encoded = toNumber(encode(message, await random(SALT), bits - 1));
  const factor = (toNumber(await random(size + SPARE)) % (modulus - 2n)) + 2n;
  return {
    blinded: toBase64Url(toBytes((encoded * power(factor, EXPONENT, modulus)) % modulus, size)),
    finish(signature) {
      const value = (toNumber(fromBase64Url(signature)) * inverse(factor, modulus)) % modulus;
      if (power(value, EXPONENT, modulus) !== encoded) throw new Error("the server signed something else");
      return `${key.key_id}.${toBase64Url(nonce)}.${toBase64Url(toBytes(value, size))}`;
    },
  };
}
