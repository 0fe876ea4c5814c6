// What every page of the wallet shares.
import "./kit.js";

// What is not decided yet is looked at again by itself, ever more slowly; the page's own link does the same without a script.
const waiting = document.querySelector("[data-again-s]");
if (waiting) {
  const asked = Number(sessionStorage.getItem("again") || 0);
  sessionStorage.setItem("again", asked + 1);
  setTimeout(() => location.reload(), Number(waiting.dataset.againS) * 1000 * Math.min(1 + asked / 5, 15));
} else sessionStorage.removeItem("again");
