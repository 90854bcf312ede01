/**
 * Reads a scanner that types: keys faster than a hand, ended by Enter, taken wherever the focus is. What the burst left in
 * a field is taken out again.
 */
import { luhnDigit } from "/static/shared/code.js";

const MEAN_GAP_MS = 35; // a hand is slower
const PAUSE_MS = 120; // a busy machine may deliver one key late; a longer pause begins anew
const MIN_LENGTH = 6;

/** Collects keys with their times; `end` returns the text where it was a burst, else null. */
export class Burst {
  text = "";
  #firstMs = 0;
  #lastMs = -Infinity;

  /** Add a character; true where it begins a new burst. */
  add(character, atMs) {
    const fresh = atMs - this.#lastMs >= PAUSE_MS;
    if (fresh) this.#firstMs = atMs;
    this.text = fresh ? character : this.text + character;
    this.#lastMs = atMs;
    return fresh;
  }

  end(atMs) {
    const { text } = this;
    this.text = "";
    const mean = (this.#lastMs - this.#firstMs) / (text.length - 1);
    const lateMs = atMs - this.#lastMs;
    this.#lastMs = -Infinity; // the next key begins anew, however soon it comes
    return text.length >= MIN_LENGTH && mean < MEAN_GAP_MS && lateMs < PAUSE_MS ? text : null;
  }
}

/** Whether a text is a member code: 20 digits from 70 with the right check digit. */
export function isMemberCode(text) {
  return /^70\d{18}$/.test(text) && luhnDigit(text.slice(0, 19)) === text[19];
}

/** Whether a text is a code by which somebody of the staff authorises: the same from 71. */
export function isAuthorisation(text) {
  return /^71\d{18}$/.test(text) && luhnDigit(text.slice(0, 19)) === text[19];
}

/** Whether a text is the number of a gift card: 16 digits from 88 with the right check digit. */
export function isGiftCard(text) {
  return /^88\d{14}$/.test(text) && luhnDigit(text.slice(0, 15)) === text[15];
}

/** Whether a text can be a member card's number: nothing else that a till reads has so many digits and begins so. */
export function isMemberCard(text) {
  return /^[1789]\d{14,18}$/.test(text) && !/^88\d{14}$|^1[0-5]\d{16}$/.test(text);
}

/** Whether a text is a pick-up code: 10 digits with the right check digit. */
export function isPickupCode(text) {
  return /^\d{10}$/.test(text) && luhnDigit(text.slice(0, 9)) === text[9];
}

/** Whether a text is the code of a gift that waits: a G before ten digits with the right check digit. */
export function isGiftCode(text) {
  return text[0] === "G" && isPickupCode(text.slice(1));
}

/** The character a key event types; through a Chinese input method only `code` tells. */
function characterOf(event) {
  if (event.key.length === 1) return event.key;
  if (event.key !== "Process") return "";
  const key = /^(?:Digit|Numpad|Key)([\dA-Z])$/.exec(event.code);
  return key ? key[1] : "";
}

function snapshot(field) {
  return field ? { field, value: field.value } : null;
}

function restore(before) {
  if (!before || before.field.value === before.value) return;
  before.field.value = before.value;
  before.field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Call `onScan(text)` for every burst. `typingField()` names the field that keys typed outside any field go to. */
export function listen(onScan, typingField) {
  const burst = new Burst();
  let before = null;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.key === "Enter") {
      const text = burst.end(event.timeStamp);
      if (text === null) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      restore(before);
      onScan(text);
      return;
    }
    const character = characterOf(event);
    if (!character) return;
    if (burst.add(character, event.timeStamp)) {
      const editable = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      before = snapshot(editable ? event.target : typingField());
    }
  }, true);
}
