// A scanner that types: its keys come faster than fingers can, from wherever the focus is, and end with Enter.

const GAP_MS = 60;
const CODE_MIN = 10;
const ENDS_MS = 150; // Some scanners send no Enter.

/** `scanned(code)` gets what a scanner typed, `typed(key)` what fingers did outside of fields; `field()` takes digits. */
export function wedge({ field, scanned, typed }) {
  let burst = null;
  let ending = 0;

  function isCode() {
    return burst && burst.keys.length >= CODE_MIN;
  }

  function finish() {
    clearTimeout(ending);
    const { keys, box, before } = burst;
    burst = null;
    if (box) box.value = before; // What the scanner typed there was never meant for it.
    scanned(keys);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const inField = event.target.matches("input, textarea, select");
    const isFast = burst && event.timeStamp - burst.at < GAP_MS;
    if (event.key === "Enter") {
      if (isFast && isCode()) {
        event.preventDefault();
        return finish();
      }
      burst = null;
      if (!inField && !event.target.closest("button, a, summary")) {
        event.preventDefault();
        typed("Enter");
      }
      return;
    }
    if (event.key === "Backspace" && !inField) return typed("Backspace");
    if (event.key.length !== 1) return;
    if (!isFast) {
      const box = inField ? event.target : field();
      burst = { keys: "", box, before: box.value, at: 0 };
    }
    burst.keys += event.key;
    burst.at = event.timeStamp;
    clearTimeout(ending);
    if (isCode()) ending = setTimeout(finish, ENDS_MS);
    if (!inField && /[\d.]/.test(event.key)) {
      event.preventDefault();
      if (burst.keys.length < CODE_MIN) typed(event.key);
    }
  }, true);
}
