// A QR symbol of digits, made here so that a payment code can be shown without anybody's help (ISO/IEC 18004).
// Version 1 (21 by 21) at error level Q, numeric mode: up to 27 digits; a quarter of the symbol may be unreadable.

const SIZE = 21;
const DATA_BYTES = 13;
const CHECK_BYTES = 13;
const DIGITS_MAX = 27;
const LEVEL_Q = 0b11;

// GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1, with 2 as generator.
const POWER = [];
const LOG = [];
for (let exponent = 0, value = 1; exponent < 255; exponent++) {
  POWER[exponent] = value;
  LOG[value] = exponent;
  value = (value << 1) ^ (value & 0x80 ? 0x11d : 0);
}
const times = (one, other) => (one && other ? POWER[(LOG[one] + LOG[other]) % 255] : 0);

/** The symbol of a text of digits: rows of booleans, true is dark. `mask` is chosen by the standard's rules unless given. */
export function qr(digits, mask = undefined) {
  if (!/^\d+$/.test(digits) || digits.length > DIGITS_MAX) throw new Error("digits, at most " + DIGITS_MAX);
  const data = dataBytes(digits);
  const bits = [...data, ...checkBytes(data)].flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((at) => (byte >> at) & 1));
  if (mask !== undefined) return drawn(bits, mask);
  const all = MASKS.map((_, each) => drawn(bits, each));
  return all.reduce((best, each) => (penalty(each) < penalty(best) ? each : best));
}

function dataBytes(digits) {
  const bits = [];
  const put = (value, length) => { for (let at = length - 1; at >= 0; at--) bits.push((value >> at) & 1); };
  put(0b0001, 4);
  put(digits.length, 10);
  for (let at = 0; at < digits.length; at += 3) {
    const part = digits.slice(at, at + 3);
    put(Number(part), [4, 7, 10][part.length - 1]);
  }
  put(0, Math.min(4, DATA_BYTES * 8 - bits.length));
  while (bits.length % 8) bits.push(0);
  const bytes = [];
  for (let at = 0; at < bits.length; at += 8) bytes.push(parseInt(bits.slice(at, at + 8).join(""), 2));
  for (let pad = 0xec; bytes.length < DATA_BYTES; pad ^= 0xec ^ 0x11) bytes.push(pad);
  return bytes;
}

/** Reed and Solomon's remainder. */
function checkBytes(data) {
  let generator = [1];
  for (let root = 0; root < CHECK_BYTES; root++) {
    const next = [...generator, 0];
    generator.forEach((factor, at) => { next[at + 1] ^= times(factor, POWER[root]); });
    generator = next;
  }
  const rest = [...data, ...Array(CHECK_BYTES).fill(0)];
  for (let at = 0; at < data.length; at++) {
    const lead = rest[at];
    generator.forEach((factor, offset) => { rest[at + offset] ^= times(factor, lead); });
  }
  return rest.slice(data.length);
}

const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

function drawn(bits, mask) {
  const symbol = Array.from({ length: SIZE }, () => Array(SIZE).fill(undefined));
  const set = (x, y, dark) => { if (x >= 0 && y >= 0 && x < SIZE && y < SIZE) symbol[y][x] = Boolean(dark); };
  for (const [left, top] of [[0, 0], [SIZE - 7, 0], [0, SIZE - 7]]) {
    for (let y = -1; y < 8; y++) for (let x = -1; x < 8; x++) {
      const ring = Math.max(Math.abs(x - 3), Math.abs(y - 3));
      set(left + x, top + y, ring !== 2 && ring !== 4);
    }
  }
  for (let at = 8; at < SIZE - 8; at++) {
    set(at, 6, at % 2 === 0);
    set(6, at, at % 2 === 0);
  }
  describe(set, mask);
  let next = 0;
  for (let right = SIZE - 1; right > 0; right -= 2) {
    if (right === 6) right = 5; // The column of the timing pattern is left out.
    for (let step = 0; step < SIZE; step++) {
      const y = ((right + 1) & 2) === 0 ? SIZE - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (symbol[y][x] === undefined) symbol[y][x] = Boolean(bits[next++]) !== MASKS[mask](x, y);
      }
    }
  }
  return symbol;
}

/** Level and mask, twice, behind a BCH code. */
function describe(set, mask) {
  const format = (LEVEL_Q << 3) | mask;
  let rest = format << 10;
  for (let at = 14; at >= 10; at--) if ((rest >> at) & 1) rest ^= 0x537 << (at - 10);
  const bits = ((format << 10) | rest) ^ 0x5412;
  for (let at = 0; at < 15; at++) {
    const dark = (bits >> at) & 1;
    if (at < 6) set(8, at, dark);
    else if (at < 8) set(8, at + 1, dark);
    else if (at === 8) set(7, 8, dark);
    else set(14 - at, 8, dark);
    if (at < 8) set(SIZE - 1 - at, 8, dark);
    else set(8, SIZE - 15 + at, dark);
  }
  set(8, SIZE - 8, true);
}

/** How hard a symbol is to read: runs, squares, what looks like a finder, and too much of one colour. */
function penalty(symbol) {
  const lines = [...symbol, ...symbol.map((_, x) => symbol.map((row) => row[x]))].map((line) => line.map(Number).join(""));
  let points = 0;
  for (const line of lines) {
    for (const run of line.match(/0{5,}|1{5,}/g) || []) points += run.length - 2;
    for (let at = 0; at + 11 <= SIZE; at++) {
      const part = line.slice(at, at + 11);
      if (part === "10111010000" || part === "00001011101") points += 40;
    }
  }
  for (let y = 1; y < SIZE; y++) for (let x = 1; x < SIZE; x++) {
    const here = symbol[y][x];
    if (here === symbol[y - 1][x] && here === symbol[y][x - 1] && here === symbol[y - 1][x - 1]) points += 3;
  }
  const dark = symbol.flat().filter(Boolean).length;
  return points + Math.floor(Math.abs((dark * 20) / (SIZE * SIZE) - 10)) * 10;
}
