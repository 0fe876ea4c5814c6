// Asking for an amount, asking for the PIN, and telling what became of a payment.
import { ask } from "./kit.js";
import { keypads } from "./keypad.js";

const FIRST_WAIT_MS = 1000;
const WAIT_MS_MAX = 15_000;

keypads();

// The button pays when the PIN is whole.
const pin = document.getElementById("pin");
if (pin) {
  const button = pin.form.querySelector("button[data-pay]");
  const look = () => { button.disabled = !/^\d{6}$/.test(pin.value); };
  pin.addEventListener("input", look);
  addEventListener("pageshow", (event) => { if (event.persisted) pin.value = ""; look(); }); // Who came back types it anew.
  pin.form.addEventListener("submit", () => { button.setAttribute("aria-busy", "true"); });
  look();
  pin.focus({ preventScroll: true });
}

// Not yet known: ask again, ever more slowly, until it is.
const pending = document.querySelector("[data-pending]");
if (pending) {
  let wait = FIRST_WAIT_MS;
  const again = async () => {
    try {
      const answer = await ask(pending.dataset.pending, null, "GET");
      if (answer.ok && answer.body.state !== "PENDING") return location.reload();
    } catch { /* Nobody answers: it stays unknown. */ }
    wait = Math.min(wait * 1.5, WAIT_MS_MAX);
    setTimeout(again, wait);
  };
  setTimeout(again, wait);
  addEventListener("online", () => { wait = FIRST_WAIT_MS; });
}
