// A draw, computed again from what is published: docs/draws.md is the algorithm, and this is a second reading of it.
import { ask, say, yuan } from "./kit.js";

const text = new TextEncoder();
const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const bytes = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const lines = (...parts) => text.encode(parts.join("\n"));
const sha256 = async (...parts) => hex(await crypto.subtle.digest("SHA-256", lines(...parts)));
const hmac = async (key, ...parts) => {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return hex(await crypto.subtle.sign("HMAC", imported, lines(...parts)));
};

/** What chance gave: 32 bytes, of which 12 choose the band, 12 the amount in it, 8 the number that thresholds are held against. */
export async function drawn(seed, bands, receipt) {
  const chance = await hmac(bytes(seed), "hutong draw 1", receipt.campaign, receipt.day, receipt.reference, receipt.turn);
  const [first, second, third] = [chance.slice(0, 24), chance.slice(24, 48), chance.slice(48)].map((part) => BigInt(`0x${part}`));
  let ticket = (first * BigInt(bands.reduce((sum, each) => sum + each.weight, 0))) >> 96n;
  const band = bands.find((each) => (ticket -= BigInt(each.weight)) < 0n);
  const amount = band.low + Number((second * BigInt(band.high - band.low + 1)) >> 96n);
  return { amount, number: Number((third * 1_000_000n) >> 64n) };
}

async function isWhole(log) {
  let { before } = log;
  for (const entry of log.entries) {
    const own = await sha256("hutong draw log 1", log.campaign, entry.number, before, entry.at_ms, entry.kind, entry.text);
    if (own !== entry.hash) return false;
    before = entry.hash;
  }
  return true;
}

/** What the day had given with this draw, at most: only the last draw of a day's budget gives less than was drawn and could be paid. */
function givenBy(draws, receipt) {
  const [slot, turn, gave] = [receipt.slot, receipt.turn, receipt.given].map(Number);
  const isBack = (each) => each.released_slot !== null && each.released_slot < slot;
  const own = draws.findIndex((each) => each.reference === receipt.reference && each.turn === turn && each.slot === slot && each.given === gave);
  const before = draws.filter((each, at) => each.slot < slot || (each.slot === slot && at <= own));
  return before.reduce((sum, each) => sum + (isBack(each) ? 0 : each.given), 0);
}

/** Everything that can be said of a receipt, as [whether it holds, what is said]; null where nobody can tell yet. */
export async function findings(receipt, record) {
  const told = (kind) => record.log.entries.filter((entry) => entry.kind === kind)
    .map((entry) => ({ at_ms: entry.at_ms, ...JSON.parse(entry.text) })).filter((each) => each.day === receipt.day);
  const [day] = told("day"), [reveal] = told("reveal");
  const own = await sha256("hutong draw entrant 1", receipt.campaign, receipt.day, receipt.token, receipt.phrase);
  const found = [
    [record.log.campaign === receipt.campaign && (await isWhole(record.log)), say("chain")],
    [own.slice(0, 32) === receipt.reference, say("reference")],
  ];
  if (!reveal) return [...found, [null, say("later")]];
  const { amount, number } = await drawn(reveal.seed, day.distribution.bands, receipt);
  const gate = told("slot").find((each) => each.slot === Number(receipt.slot));
  const [gave, drew, toPay] = [receipt.given, receipt.drawn, receipt.toPay].map(Number);
  const most = Math.min(drew, toPay - 1);
  const isHere = (each) => each.reference === receipt.reference && each.turn === Number(receipt.turn) && each.drawn === drew && each.given === gave;
  return [
    ...found,
    [(await sha256("hutong draw seed 1", receipt.campaign, receipt.day, reveal.seed)) === day.commitment, say("seed")],
    [amount === drew, say(amount === drew ? "drawn" : "not-drawn", { drawn: yuan(amount) })],
    [Boolean(gate) && number < gate.threshold && gate.at_ms <= Number(receipt.at), say("admitted")],
    [gave === most || (gave > 0 && gave < most && givenBy(record.draws, receipt) >= day.budget), say("given")],
    [record.draws.some(isHere), say("listed")],
  ];
}

function shown(list, found) {
  list.replaceChildren(...found.map(([holds, what]) => {
    const [item, mark, said] = [document.createElement("li"), document.createElement("span"), document.createElement("span")];
    item.className = "finding";
    mark.className = holds === null ? "tag" : `tag ${holds ? "good" : "bad"}`;
    mark.textContent = holds === null ? "…" : say(holds ? "good" : "bad");
    said.textContent = what;
    item.append(mark, said);
    return item;
  }));
}

document.querySelectorAll("[data-draw]").forEach((card) => {
  const [button, list] = [card.querySelector("[data-check]"), card.querySelector("[data-findings]")];
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (!globalThis.crypto?.subtle) return shown(list, [[null, say("insecure")]]);
    button.setAttribute("aria-busy", "true");
    const { campaign, day } = card.dataset;
    const answer = await ask(`/v1/draws/${campaign}/days/${day}`, null, "GET").catch(() => ({ ok: false }));
    shown(list, answer.ok ? await findings(card.dataset, answer.body) : [[null, say("unread")]]);
    button.removeAttribute("aria-busy");
  });
});

document.querySelectorAll("[data-copy]").forEach((button) => {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.firstElementChild.textContent = say("copied");
  });
});
