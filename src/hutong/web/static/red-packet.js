// What goes into a red packet, while it is written down: what each gets, times how many, or the amount itself.
import { yuan } from "./kit.js";

const whole = document.querySelector("[data-whole]");
const { form } = document.getElementById("amount");
const look = () => {
  const typed = /^(\d+)(?:\.(\d{1,2}))?$/.exec(form.elements.amount.value.replaceAll(",", "").trim());
  const each = typed ? Number(typed[1]) * 100 + Number((typed[2] || "").padEnd(2, "0")) : 0;
  const sum = form.elements.kind.value === "EQUAL" ? each * Number(form.elements.count.value) : each;
  whole.hidden = !sum;
  whole.querySelector("b").textContent = yuan(sum);
};
form.addEventListener("input", look);
look();
