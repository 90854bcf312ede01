/**
 * QR code, version 1 with error correction M: up to 34 digits, or 20 characters of the standard's small alphabet, in 21 × 21 modules. Enough for a
 * member's and a gift's code, small enough to read whole. Source: ISO/IEC 18004:2015.
 */

const SIZE = 21;
const DATA_WORDS = 16;
const CHECK_WORDS = 10;
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

// arithmetic of GF(256) with the polynomial x^8 + x^4 + x^3 + x^2 + 1
const POWER = new Uint8Array(255);
const LOG = new Uint8Array(256);
for (let i = 0, value = 1; i < 255; i += 1) {
  POWER[i] = value;
  LOG[value] = i;
  value <<= 1;
  if (value > 255) value ^= 0x11d;
}
const times = (a, b) => (a && b ? POWER[(LOG[a] + LOG[b]) % 255] : 0);

function dataWords(text) {
  const bits = [];
  const put = (value, length) => {
    for (let i = length - 1; i >= 0; i -= 1) bits.push((value >> i) & 1);
  };
  if (/^\d+$/.test(text)) {
    put(0b0001, 4);
    put(text.length, 10);
    for (let i = 0; i < text.length; i += 3) {
      const group = text.slice(i, i + 3);
      put(Number(group), [0, 4, 7, 10][group.length]);
    }
  } else {
    put(0b0010, 4);
    put(text.length, 9);
    for (let i = 0; i < text.length; i += 2) {
      const [first, second] = [...text.slice(i, i + 2)].map((letter) => LETTERS.indexOf(letter));
      put(second === undefined ? first : first * LETTERS.length + second, second === undefined ? 6 : 11);
    }
  }
  put(0, Math.min(4, DATA_WORDS * 8 - bits.length));
  while (bits.length % 8) bits.push(0);
  for (let pad = 0xec; bits.length < DATA_WORDS * 8; pad ^= 0xec ^ 0x11) put(pad, 8);
  const words = [];
  for (let i = 0; i < bits.length; i += 8) words.push(bits.slice(i, i + 8).reduce((word, bit) => word * 2 + bit, 0));
  return words;
}

function checkWords(words) {
  let generator = [1];
  for (let i = 0; i < CHECK_WORDS; i += 1) {
    const next = new Array(generator.length + 1).fill(0);
    generator.forEach((factor, k) => {
      next[k] ^= factor;
      next[k + 1] ^= times(factor, POWER[i]);
    });
    generator = next;
  }
  const rest = [...words, ...new Array(CHECK_WORDS).fill(0)];
  for (let i = 0; i < words.length; i += 1) {
    const lead = rest[i];
    generator.forEach((factor, k) => { rest[i + k] ^= times(factor, lead); });
  }
  return rest.slice(words.length);
}

/** Modules of the three finders with their separators, the timing lines and the dark module; null where data will go. */
function frame() {
  const grid = Array.from({ length: SIZE }, () => new Array(SIZE).fill(null));
  const finder = (top, left) => {
    for (let r = -1; r <= 7; r += 1) {
      for (let c = -1; c <= 7; c += 1) {
        if (grid[top + r]?.[left + c] === undefined) continue;
        const ring = Math.max(Math.abs(r - 3), Math.abs(c - 3));
        grid[top + r][left + c] = ring !== 2 && ring !== 4 ? 1 : 0;
      }
    }
  };
  finder(0, 0);
  finder(0, SIZE - 7);
  finder(SIZE - 7, 0);
  for (let i = 8; i < SIZE - 8; i += 1) {
    grid[6][i] = (i + 1) % 2;
    grid[i][6] = (i + 1) % 2;
  }
  return grid;
}

/** Write the 15 format bits (level M, this mask) at both their places. */
function putFormat(grid, mask) {
  const data = mask; // level M is 00
  let rest = data << 10;
  for (let i = 14; i >= 10; i -= 1) if ((rest >> i) & 1) rest ^= 0x537 << (i - 10);
  const bits = ((data << 10) | rest) ^ 0x5412;
  for (let i = 0; i < 15; i += 1) {
    const bit = (bits >> i) & 1;
    if (i < 6) grid[i][8] = bit;
    else if (i < 8) grid[i + 1][8] = bit;
    else grid[SIZE - 15 + i][8] = bit;
    if (i < 8) grid[8][SIZE - 1 - i] = bit;
    else if (i === 8) grid[8][7] = bit;
    else grid[8][14 - i] = bit;
  }
  grid[SIZE - 8][8] = 1;
}

const MASKS = [
  (r, c) => (r + c) % 2 === 0,
  (r) => r % 2 === 0,
  (r, c) => c % 3 === 0,
  (r, c) => (r + c) % 3 === 0,
  (r, c) => (Math.floor(r / 2) + Math.floor(c / 3)) % 2 === 0,
  (r, c) => ((r * c) % 2) + ((r * c) % 3) === 0,
  (r, c) => (((r * c) % 2) + ((r * c) % 3)) % 2 === 0,
  (r, c) => (((r + c) % 2) + ((r * c) % 3)) % 2 === 0,
];

function putData(grid, words, masked) {
  let at = 0;
  let upward = true;
  for (let right = SIZE - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < SIZE; step += 1) {
      const row = upward ? SIZE - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (grid[row][column] !== null) continue;
        const bit = (words[at >> 3] >> (7 - (at & 7))) & 1;
        grid[row][column] = masked(row, column) ? bit ^ 1 : bit;
        at += 1;
      }
    }
    upward = !upward;
  }
}

/** How hard this pattern is to read; the standard's four rules. */
function penalty(grid) {
  let score = 0;
  let dark = 0;
  const lines = [...grid, ...grid.map((_, c) => grid.map((row) => row[c]))];
  for (const line of lines) {
    let run = 1;
    for (let i = 1; i <= SIZE; i += 1) {
      if (i < SIZE && line[i] === line[i - 1]) { run += 1; continue; }
      if (run >= 5) score += run - 2;
      run = 1;
    }
    const text = line.join("");
    for (let i = 0; i + 11 <= SIZE; i += 1) {
      const part = text.slice(i, i + 11);
      if (part === "10111010000" || part === "00001011101") score += 40;
    }
  }
  for (let r = 0; r < SIZE; r += 1) {
    for (let c = 0; c < SIZE; c += 1) {
      dark += grid[r][c];
      if (r && c && grid[r][c] === grid[r - 1][c] && grid[r][c] === grid[r][c - 1] && grid[r][c] === grid[r - 1][c - 1]) score += 3;
    }
  }
  return score + Math.floor(Math.abs((dark * 20) / (SIZE * SIZE) - 10)) * 10;
}

/** The 21 × 21 modules (rows of 0 and 1) of `text`, with a given mask 0–7 or the one that reads best. */
export function qrModules(text, mask = null) {
  if (!/^(?:\d{1,34}|[0-9A-Z $%*+\-./:]{1,20})$/.test(text)) throw new Error("1 to 34 digits, or 20 letters");
  const words = dataWords(text);
  words.push(...checkWords(words));
  const drawn = (number) => {
    const grid = frame();
    putFormat(grid, number);
    putData(grid, words, MASKS[number]);
    return grid;
  };
  if (mask !== null) return drawn(mask);
  const all = MASKS.map((_, number) => drawn(number));
  return all.reduce((best, grid) => (penalty(grid) < penalty(best) ? grid : best));
}

/** One SVG path, in units of modules, of the dark modules; draw it with a quiet zone of at least 4 around. */
export function qrPath(text) {
  return qrModules(text)
    .map((row, r) => row.map((bit, c) => (bit ? `M${c} ${r}h1v1h-1z` : "")).join(""))
    .join("");
}
