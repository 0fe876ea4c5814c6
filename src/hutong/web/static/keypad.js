// Keys on the page for an input: for PINs, and for amounts on a phone. Who has a keyboard types.

const ERASE = "⌫";

/** Put keys into each [data-keypad=id of an input]; its data-point is the decimal point, where there is one. */
export function keypads() {
  for (const box of document.querySelectorAll("[data-keypad]")) {
    const input = document.getElementById(box.dataset.keypad);
    if (matchMedia("(pointer: coarse)").matches) input.inputMode = "none"; // Else the phone's own keys cover ours.
    const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", box.dataset.point || "", "0", ERASE];
    box.append(...keys.map((key) => button(box, input, key)));
    box.hidden = false;
  }
}

function button(box, input, key) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = key;
  if (key === ERASE) made.setAttribute("aria-label", box.dataset.erase);
  if (!key) {
    made.className = "no-key";
    made.disabled = true;
  }
  made.addEventListener("click", () => {
    input.value = key === ERASE ? input.value.slice(0, -1) : typed(input, key);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return made;
}

/** What the input holds behind one more key; what would be no amount, or too long, is not taken. */
function typed(input, key) {
  const next = input.value + key;
  if (input.maxLength >= 0 && next.length > input.maxLength) return input.value;
  if (input.type === "password") return next;
  if (key === "." && !input.value) return "0.";
  const plain = next.replace(/^0(?=\d)/, "");
  return /^\d+(\.\d{0,2})?$/.test(plain) ? plain : input.value;
}
