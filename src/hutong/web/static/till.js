// The counter: asks to be paid, follows what becomes of it, and announces what the shop receives. It stays open all day.
import { ask, say, stamp, yuan } from "./kit.js";
import { camera } from "./camera.js";
import { ring, speak, soundSwitches } from "./till-sound.js";
import { wedge } from "./till-wedge.js";
import { hear } from "./till-news.js";

const till = document.querySelector("[data-till]");
const form = document.querySelector("[data-ask]");
const amount = document.getElementById("amount");
const remark = document.getElementById("remark");
const one = (name, within = document) => within.querySelector(`[data-${name}]`);
const error = one("error");
const ASKED = "till.asked";
const CODES = {
  formats: ["qr_code", "code_128"],
  read: (text) => text,
  path: "/till/frame",
  answered: (answer) => answer.ok && answer.body.code,
};
const FINAL = new Set(["paid", "refused", "cancelled", "expired"]);
const AGAIN_MS = 2000;
const DONE_MS = 12000;
const SHOWN_MS = 9000;

let current = null; // What is being asked: {reference, amount, remark, code, id, step}.
let deadline = 0;
let back = 0; // The timer that makes room for the next customer.

// Panels

function show(name) {
  for (const panel of document.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== name;
  for (const text of document.querySelectorAll("[data-amount]")) text.textContent = yuan(current ? current.amount : typedAmount());
  if (name !== "scan") camera.stop();
}

function fail(said) {
  error.textContent = said;
  error.hidden = !said;
}

function keep() {
  if (current) sessionStorage.setItem(ASKED, JSON.stringify(current));
  else sessionStorage.removeItem(ASKED);
}

function next() {
  clearTimeout(back);
  current = null;
  keep();
  amount.value = remark.value = "";
  fail("");
  show("amount");
}

// The amount

function typedAmount() {
  const found = /^(\d{1,7})(?:[.,](\d{0,2}))?$/.exec(amount.value.trim() || "0");
  return found ? Number(found[1]) * 100 + Number((found[2] || "").padEnd(2, "0")) : 0;
}

function key(pressed) {
  const value = pressed === "back" ? amount.value.slice(0, -1) : amount.value + pressed;
  if (/^\d{0,7}(\.\d{0,2})?$/.test(value)) amount.value = value.replace(/^0+(?=\d)/, "").replace(/^\./, "0.");
}

// Asking

const fresh = () => "till-" + [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function begin(code) {
  const asked = typedAmount();
  if (!asked) {
    fail(say("no-amount"));
    return show("amount");
  }
  current = { reference: fresh(), amount: asked, remark: remark.value, code, id: "", step: "" };
  await send();
}

/** Send it, and send it again until there is an answer: the reference makes it one asking, however often it arrives. */
async function send() {
  const mine = current;
  clearTimeout(back);
  fail("");
  keep();
  step({ step: mine.code ? "asking" : "making", said: say(mine.code ? "asking" : "making") });
  show("asked");
  const fields = { reference: mine.reference, amount: (mine.amount / 100).toFixed(2), remark: mine.remark };
  if (mine.code) fields.payer_code = mine.code;
  while (current === mine) {
    const answer = await tried(mine.code ? "/till/charges" : "/till/codes", fields);
    if (current !== mine) return;
    if (answer && answer.ok) return took(mine, answer.body);
    if (answer && answer.status < 500) return refused(answer);
    step({ step: "asking", said: say("unknown") });
    await pause(AGAIN_MS);
  }
}

/** The answer, or nothing where nobody answered. */
async function tried(path, fields, method = "POST") {
  try {
    const answer = await ask(path, fields, method);
    if (answer.status === 401) location.reload();
    return answer;
  } catch {
    return null;
  }
}

function refused(answer) {
  current = null;
  keep();
  show("amount");
  fail(answer.body.said || String(answer.body.reason || answer.status));
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function took(mine, state) {
  mine.id = state.request_id;
  keep();
  step(state);
  follow(mine);
}

/** Look at it until it has ended. What the news say sooner is looked at sooner. */
async function follow(mine) {
  while (current === mine && !FINAL.has(mine.step)) {
    await Promise.race([pause(mine.code ? AGAIN_MS : 2 * AGAIN_MS), new Promise((done) => { mine.wake = done; })]);
    if (current !== mine) return;
    await look(mine);
  }
}

async function look(mine) {
  const answer = await tried(`/till/requests/${mine.id}`, null, "GET");
  if (current !== mine || !answer) return;
  if (answer.ok) step(answer.body);
  else if (answer.status === 404) next();
}

function step(state) {
  const { step: name, said } = state;
  const heading = one("step");
  if (heading.textContent !== said) heading.textContent = said;
  heading.className = { paid: "good-said", refused: "bad-said", expired: "bad-said", cancelled: "quiet" }[name] || "";
  const isFinal = FINAL.has(name);
  const picture = one("code");
  const source = name === "open" ? `/till/requests/${state.request_id}/code.svg` : "";
  if (source && picture.firstElementChild.getAttribute("src") !== source) picture.firstElementChild.src = source;
  picture.hidden = !source;
  one("busy").hidden = isFinal || name === "open";
  one("cancel").hidden = isFinal || name === "paying" || !state.request_id;
  one("next").hidden = !isFinal;
  one("again").hidden = !isFinal || name === "paid" || !current.code;
  deadline = state.left_ms && !isFinal ? performance.now() + state.left_ms : 0;
  tick();
  if (isFinal && current.step !== name) {
    if (name === "paid") back = setTimeout(() => { if (current && current.step === "paid") next(); }, DONE_MS);
    one("next").focus();
  }
  current.step = name;
  if (isFinal) sessionStorage.removeItem(ASKED);
}

function tick() {
  const left = Math.max(0, Math.ceil((deadline - performance.now()) / 1000));
  one("left").textContent = deadline ? say("left", { time: `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` }) : "";
  if (deadline && !left) {
    deadline = 0;
    current?.wake?.();
  }
}

async function cancel() {
  const mine = current;
  if (!mine || !mine.id) return;
  const answer = await tried(`/till/requests/${mine.id}/cancel`, {});
  if (current !== mine || !answer) return;
  if (answer.ok) step(answer.body);
  else {
    fail(answer.body.said || "");
    await look(mine);
  }
}

/** A customer's code came in, by camera, scanner or fingers. */
async function scanned(code) {
  code = code.replace(/\s/g, "");
  if (!code || !form) return;
  camera.stop();
  if (current && current.step === "open") { // They rather show theirs than scan ours.
    const mine = current;
    await cancel();
    if (mine.step !== "cancelled") return;
    amount.value = (mine.amount / 100).toFixed(2);
    remark.value = mine.remark;
    return begin(code);
  }
  if (current && !FINAL.has(current.step)) return;
  if (current) next();
  await begin(code);
}

function openScan() {
  if (!typedAmount()) return fail(say("no-amount"));
  fail("");
  show("scan");
  one("typed").reset();
  camera.start(CODES, scanned);
}

// News

function received(news, isAlone) {
  const said = say("received", { amount: yuan(news.amount) });
  banner(said, news.payer);
  if (isAlone) {
    ring();
    const whole = news.amount % 100 ? (news.amount / 100).toFixed(2).replace(/0$/, "") : String(news.amount / 100);
    speak(say("spoken", { yuan: whole }));
  }
  line(news);
  if (current && current.id && current.id === news.request_id) current.wake?.();
}

function missed(all) {
  all.forEach((news) => line(news));
  const sum = all.reduce((total, news) => total + news.amount, 0);
  banner(say("missed", { count: all.length, amount: yuan(sum) }), "");
  ring();
  current?.wake?.();
}

function banner(said, from) {
  const box = one("news");
  const shown = stamp("received", { said, from });
  box.prepend(shown);
  while (box.children.length > 3) box.lastElementChild.remove();
  setTimeout(() => shown.remove(), SHOWN_MS);
}

function line(news) {
  const at = new Date(news.at_ms).toLocaleTimeString(document.documentElement.lang, { hour12: false });
  const made = stamp("line", { amount: yuan(news.amount), from: news.payer, at });
  made.querySelector("a").href = `/till/payments/${news.payment_id}`;
  const list = one("latest");
  list.prepend(made);
  while (list.children.length > 8) list.lastElementChild.remove();
  one("none").hidden = true;
}

hear({
  position: Number(till.dataset.position),
  merchant: till.dataset.merchant,
  heard: (all) => (all.length === 1 ? received(all[0], true) : missed(all)),
  refunded: (news) => banner(say("refunded", { amount: yuan(news.amount) }), ""),
  state: (isLive) => {
    one("offline").hidden = isLive;
    one("live").classList.toggle("on", isLive);
    one("live-said").textContent = say(isLive ? "live" : "gone");
    if (isLive) current?.wake?.();
  },
});
soundSwitches();

// Hands

if (form) {
  one("keys").hidden = one("scan").hidden = one("hint").hidden = false;
  if (matchMedia("(pointer: coarse)").matches) amount.inputMode = "none"; // Else the device's own keys cover ours.
  one("keys").addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-key]");
    if (pressed) key(pressed.dataset.key); // What was said stays till the next try: were it to go, the next key would move.
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter !== one("scan")) begin("");
  });
  one("scan").addEventListener("click", openScan);
  one("typed").addEventListener("submit", (event) => {
    event.preventDefault();
    scanned(event.target.elements.typed.value);
  });
  one("back").addEventListener("click", () => show("amount"));
  one("cancel").addEventListener("click", cancel);
  one("next").addEventListener("click", next);
  one("again").addEventListener("click", () => {
    const { amount: minor, remark: said } = current;
    next();
    amount.value = (minor / 100).toFixed(2);
    remark.value = said;
    openScan();
  });
  wedge({ field: () => amount, scanned, typed: (pressed) => {
    if (current && FINAL.has(current.step)) next();
    if (document.querySelector("[data-panel=amount]").hidden) return;
    if (pressed === "Enter") form.requestSubmit();
    else key(pressed === "Backspace" ? "back" : pressed);
  } });
  setInterval(tick, 250);
  const asked = sessionStorage.getItem(ASKED);
  if (asked) { // The page was loaded anew while a customer was paying.
    current = JSON.parse(asked);
    if (current.id) { show("asked"); step({ step: "asking", said: say("asking"), request_id: current.id }); look(current).then(() => current && follow(current)); }
    else send();
  }
}
