/**
 * wx storage over localStorage, apart for each phone; in memory where the browser keeps nothing. What is named `session:…` ends with the
 * visit (a mini-program removes it when it is launched anew).
 */
import { api } from "./core.js";
import { phoneId } from "./identity.js";

const memory = new Map();
const area = (key) => (key.startsWith("session:") ? sessionStorage : localStorage);
const name = (key) => `wx:${phoneId()}:${key}`;

/** The value under `key`, or "" where there is none (as wx does). */
export function getStorageSync(key) {
  let text;
  try {
    text = area(key).getItem(name(key));
  } catch {
    text = memory.get(name(key));
  }
  if (text === null || text === undefined) return "";
  try {
    return JSON.parse(text);
  } catch {
    return "";
  }
}

/** Keep a JSON value under `key`. */
export function setStorageSync(key, value) {
  const text = JSON.stringify(value);
  try {
    area(key).setItem(name(key), text);
  } catch {
    memory.set(name(key), text);
  }
}

/** Forget `key`. */
export function removeStorageSync(key) {
  memory.delete(name(key));
  try {
    area(key).removeItem(name(key));
  } catch {
    // nothing is kept there
  }
}

export const getStorage = api("getStorage", ({ key }) => ({ data: getStorageSync(key) }));
export const setStorage = api("setStorage", ({ key, data }) => setStorageSync(key, data));
export const removeStorage = api("removeStorage", ({ key }) => removeStorageSync(key));
