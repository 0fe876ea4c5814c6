// The payment code: made on this phone, drawn here, renewed before it ends; and what tills ask the payer meanwhile.
import { ask, buzz, listen, say } from "./kit.js";
import { code128 } from "./code128.js";
import { keypads } from "./keypad.js";
import { STEP_MS, headAt, importSeed, paymentCode } from "./payment-code.js";
import { qr } from "./qr.js";

const SHOWN_MS = 3 * STEP_MS; // Then another: a till needs some time of a code's last steps, too.
const QR_EDGE = 4; // Modules of white that scanners want around a code.
const BARS_EDGE = 10;
const DATABASE = "payment-code";
const SVG = "http://www.w3.org/2000/svg";

const find = (name) => document.querySelector(`[data-${name}]`);
const [card, digits, left, state, trouble] = ["code", "digits", "left", "state", "trouble"].map(find);
let keys = null;
let shown = { code: "", at: 0 };
let spent = "";

// The keys, kept for when there is no network. The seed is a key that nobody can read out.

function database(mode, act) {
  return new Promise((done, failed) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
    opening.onerror = () => failed(opening.error);
    opening.onsuccess = () => {
      const request = act(opening.result.transaction("keys", mode).objectStore("keys"));
      request.onsuccess = () => { opening.result.close(); done(request.result); };
      request.onerror = () => { opening.result.close(); failed(request.error); };
    };
  });
}

/** What the institution gives for the day; without a network what it gave before. */
async function fetchKeys() {
  let answer;
  try {
    answer = await ask("/wallet/code/keys", {});
  } catch {
    keys = keys || (await database("readonly", (store) => store.get("mine")).catch(() => null)) || null;
    if (!keys) complain(say("offline"));
    return;
  }
  if (answer.status === 401) return location.reload();
  if (answer.status >= 500) return;
  if (!answer.ok) {
    keys = null;
    await database("readwrite", (store) => store.clear()).catch(() => {});
    return complain(answer.body.said);
  }
  const { seed, now_ms: nowMs, ...heads } = answer.body;
  keys = { ...heads, key: await importSeed(seed), ahead_ms: nowMs - Date.now() };
  await database("readwrite", (store) => store.put(keys, "mine")).catch(() => {});
  keep();
}

/** This page stays at hand without a network, too. */
const keep = () => navigator.serviceWorker?.ready.then((registered) => registered.active.postMessage("keep"));

/** The institution's time: a phone's clock may be wrong. */
const now = () => Date.now() + (keys?.ahead_ms ?? 0);

function complain(text) {
  trouble.textContent = text;
  trouble.hidden = !text;
  card.hidden = Boolean(text);
}

// Drawing.

function path(svg, width, height, d) {
  const drawn = document.createElementNS(SVG, "path");
  drawn.setAttribute("d", d);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.replaceChildren(drawn);
}

function draw(code) {
  const symbol = qr(code);
  const side = symbol.length + 2 * QR_EDGE;
  const squares = symbol.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QR_EDGE} ${y + QR_EDGE}h1v1h-1z` : "")));
  path(find("qr"), side, side, squares.join(""));
  let x = BARS_EDGE;
  let bars = "";
  code128(code).forEach((width, at) => {
    if (at % 2 === 0) bars += `M${x} 0h${width}v36h-${width}z`;
    x += width;
  });
  path(find("bars"), x + BARS_EDGE, 36, bars);
  digits.textContent = code.replace(/(\d{4})(?=\d)/g, "$1 ");
  card.dataset.shows = code;
}

async function renew() {
  const at = now();
  const head = keys && headAt(keys, at);
  if (!head) {
    if (keys) complain(say("over"));
    return;
  }
  const code = await paymentCode(keys.key, head, at);
  if (code === spent) return; // The next one comes with the next step.
  shown = { code, at: Math.floor(at / STEP_MS) * STEP_MS };
  complain("");
  draw(code);
}

async function tick() {
  const at = now();
  if (keys && navigator.onLine && at >= keys.today_ends_at_ms) await fetchKeys();
  const rest = shown.at + SHOWN_MS - at;
  if (!shown.code || rest <= 0 || rest > SHOWN_MS || shown.code === spent) await renew();
  left.value = Math.max(0, Math.min(100, ((shown.at + SHOWN_MS - now()) * 100) / SHOWN_MS));
}

// What a till asks, and what became of it.

const asking = document.querySelector("dialog[data-ask]");
const done = document.querySelector("dialog[data-done]");
const bill = done.querySelector("a").textContent;
const pin = document.getElementById("pin");
const no = asking.querySelector("[role=alert]");
// What the page itself asks is to pay; news of something else says its own words.
const own = Object.fromEntries(["question", "note", "yes", "no"].map((name) => [name, asking.querySelector(`[data-${name}]`).textContent]));
const OVER = new Set(["REQUEST_TO_PAY_DECIDED", "REQUEST_EXPIRED", "HOLD_NOT_OPEN", "PREAUTH_NOT_OPEN"]);
const ANOTHER_PRICE = new Set(["DISCOUNT_GONE", "QUOTE_UNKNOWN"]);
let open = null;

function question(asked) {
  if (open && open.id === asked.id && asking.open && open.quote === asked.quote) return;
  open = asked;
  asking.querySelector("[data-name]").textContent = asked.name;
  asking.querySelector("[data-amount]").textContent = asked.amount;
  for (const name in own) {
    const part = asking.querySelector(`[data-${name}]`);
    part.textContent = asked[name] ?? own[name];
    part.hidden = !part.textContent;
  }
  refuse("");
  pin.value = "";
  done.close();
  if (!asking.open) asking.showModal();
  pin.focus();
  buzz(80);
}

function refuse(text) {
  no.textContent = text;
  no.hidden = !text;
}

async function answer(verb, fields) {
  const buttons = asking.querySelectorAll("button");
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const { ok, status, body } = await ask(`/wallet/asked/${open.id}/${verb}`, fields);
    if (status === 401) return location.reload();
    if (!ok) {
      pin.value = "";
      if (ANOTHER_PRICE.has(body.reason)) return askedAnew(open.id, body.said);
      if (OVER.has(body.reason)) end(body.said, false);
      return refuse(body.said || say("unknown"));
    }
    open = null;
    asking.close();
    if (body.path) location.assign(body.path);
  } catch {
    refuse(say("unknown")); // With the same press once more: it is paid once.
  } finally {
    buttons.forEach((button) => { button.disabled = button.classList.contains("no-key"); });
  }
}

function end(text, good, way = "", look = "") {
  asking.close();
  open = null;
  done.querySelector("[data-said]").textContent = text;
  done.classList.toggle("good", good);
  const link = done.querySelector("a");
  link.hidden = !way;
  link.textContent = look || bill;
  if (way) link.href = way;
  if (!done.open) done.showModal();
  buzz(good ? [40, 60, 40] : 200);
}

function heard(good) {
  return (news) => {
    spent = shown.code;
    renew();
    if (!asking.open) end(news.said, good, news.bill, news.look); // What is asked just now comes first; the bills tell the rest.
  };
}

async function waiting() {
  const found = await ask("/wallet/asked", null, "GET").catch(() => null);
  return found?.ok ? found.body : [];
}

async function askedMeanwhile() {
  const [first] = await waiting();
  if (first) question(first);
}

// News of a till says what it asks for; what it costs is asked for here.
async function askedBy(news) {
  question((await waiting()).find((each) => each.id === news.id) ?? news);
}

// What was shown is so no more: the same question with the price of now, or none.
async function askedAnew(id, said) {
  const again = (await waiting()).find((each) => each.id === id);
  if (!again) return end(said, false);
  question(again);
  refuse(said);
}

asking.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (/^\d{6}$/.test(pin.value)) answer("approve", { pin: pin.value, quote: open.quote ?? "" });
});
asking.querySelector("[data-no]").addEventListener("click", () => answer("decline", {}));
asking.addEventListener("cancel", (event) => event.preventDefault()); // Yes or no: the till waits.
done.querySelector("button").addEventListener("click", () => done.close());

listen(
  "/wallet/news",
  {
    "payment.waiting": askedBy,
    "payment.sent": heard(true),
    "payment.rejected": heard(false),
    "hold.asked": question,
    "hold.held": heard(true),
  },
  (live) => {
    state.textContent = live ? say("live") : say("alone");
    state.classList.toggle("warn", !live);
    if (live) askedMeanwhile();
  },
);

// The screen stays on while the code is shown.
const stayOn = () => { if (!document.hidden) navigator.wakeLock?.request("screen").catch(() => {}); };
document.addEventListener("visibilitychange", () => { if (!document.hidden) { stayOn(); tick(); } });

keypads();
if (!globalThis.crypto?.subtle) complain(say("insecure"));
else {
  navigator.serviceWorker?.register("/wallet/worker.js", { scope: "/wallet/" }).catch(() => {});
  navigator.serviceWorker?.addEventListener("controllerchange", () => { if (keys) keep(); }); // A newer one keeps anew.
  stayOn();
  await fetchKeys();
  await tick();
  setInterval(tick, 1000);
}
