// Payment codes (付款码), made on the phone as `hutong.codes.payment_code` reads them: the day's head and one-time digits.

export const STEP_MS = 15_000;
const LATE_STEPS = 4; // A code is taken for so many steps behind its own.
const ONE_TIME_DIGITS = 7;
const DAY_MS = 86_400_000;

/** The device's seed as a key that makes digits and can't be read out again, not even by this page. */
export function importSeed(base64) {
  const seed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return crypto.subtle.importKey("raw", seed, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** The 18 digits to show at a time: HOTP with SHA-256 over the step and the head (RFC 4226, RFC 6238). */
export async function paymentCode(key, head, nowMs) {
  const step = Math.floor(nowMs / STEP_MS);
  const message = new Uint8Array(8 + head.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, Math.floor(step / 2 ** 32));
  view.setUint32(4, step >>> 0);
  message.set(new TextEncoder().encode(head), 8);
  const digest = new DataView(await crypto.subtle.sign("HMAC", key, message));
  const number = digest.getUint32(digest.getUint8(31) & 0x0f) & 0x7fffffff;
  return head + String(number % 10 ** ONE_TIME_DIGITS).padStart(ONE_TIME_DIGITS, "0");
}

/** Until when a code made now is taken. */
export const takenUntil = (nowMs) => (Math.floor(nowMs / STEP_MS) + LATE_STEPS + 1) * STEP_MS;

/** The head of the day; empty when the days that were fetched are over. */
export function headAt(keys, nowMs) {
  if (nowMs < keys.today_ends_at_ms) return keys.head_today;
  return nowMs < keys.today_ends_at_ms + DAY_MS ? keys.head_tomorrow : "";
}
