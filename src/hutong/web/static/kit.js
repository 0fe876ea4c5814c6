// What pages of every area share. A page works without it where it can; this makes it live.

/** The token that says a request is of a page of ours. */
export const csrf = () => document.querySelector('meta[name="csrf"]').content;

/** Ask a page of ours; answers {ok, status, body}: JSON where the answer is JSON, else text. Throws only when nobody answers. */
export async function ask(path, fields, method = "POST") {
  const init = { method, headers: { accept: "application/json", "x-csrf": csrf() } };
  if (fields instanceof Blob) init.body = fields;
  else if (fields) {
    const form = fields instanceof FormData ? fields : new URLSearchParams(fields);
    if (!form.has("csrf")) form.set("csrf", csrf());
    init.body = form;
  }
  const answer = await fetch(path, init);
  const isJson = (answer.headers.get("content-type") || "").includes("json");
  return { ok: answer.ok, status: answer.status, body: isJson ? await answer.json() : await answer.text() };
}

/**
 * Hear news: `heard` maps an event's type to a function of its data. The browser comes back by itself when it is cut off;
 * `state(live)` is told whether news arrive now. Returns a function that ends it.
 */
export function listen(path, heard, state = () => {}) {
  const source = new EventSource(path);
  source.addEventListener("open", () => state(true));
  source.addEventListener("error", () => state(false));
  source.addEventListener("signed-out", () => { source.close(); location.reload(); });
  for (const [type, hear] of Object.entries(heard)) source.addEventListener(type, (event) => hear(JSON.parse(event.data)));
  addEventListener("pagehide", () => source.close(), { once: true });
  return () => source.close();
}

/** A node made of the page's <template id=...>, each [data-fill=name] filled with the text of that name. */
export function stamp(id, texts) {
  const node = document.getElementById(id).content.firstElementChild.cloneNode(true);
  for (const each of [node, ...node.querySelectorAll("[data-fill]")]) {
    const name = each.dataset.fill;
    if (name && name in texts) each.textContent = texts[name];
  }
  return node;
}

/** A sentence of the page's own language: the text of [data-say=name] in <template id=words>, `{name}` filled in. */
export function say(name, values = {}) {
  const words = document.getElementById("words");
  const found = words && words.content.querySelector(`[data-say="${name}"]`);
  return (found ? found.textContent : name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

/** Minor units as people write them: 1280 is ¥12.80. */
export const yuan = (minor) => "¥" + (Math.trunc(minor / 100)).toLocaleString("en") + "." + String(Math.abs(minor) % 100).padStart(2, "0");

/** A phone is felt where it may be: once its page was touched. */
export const buzz = (pattern) => { if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(pattern); };

// A form that moves something is sent once: the second press of an impatient finger does nothing.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (event.target.dataset.sent) return event.preventDefault();
  event.target.dataset.sent = "1";
  setTimeout(() => delete event.target.dataset.sent, 4000);
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

// [data-confirm] asks before a form is sent.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-confirm]");
  if (button && !confirm(button.dataset.confirm)) event.preventDefault();
}, true);

// The menu of a desk stands open where there is room.
const menu = document.querySelector("details[data-menu]");
if (menu) {
  const roomy = matchMedia("(min-width: 52.01rem)");
  const fit = () => { menu.open = roomy.matches; };
  roomy.addEventListener("change", fit);
  fit();
}

// A form whose answer is a file leaves its page as it was: [data-renews] shows it anew so many milliseconds later.
document.addEventListener("submit", (event) => {
  const after = event.target.dataset.renews;
  if (after && !event.defaultPrevented) setTimeout(() => location.reload(), Number(after));
});

// What only some choices ask for is shown with these alone: [data-when="A B"] beside a select[data-chooses].
for (const select of document.querySelectorAll("[data-chooses]")) {
  const fit = () => {
    for (const each of select.form.querySelectorAll("[data-when]")) each.hidden = !each.dataset.when.split(" ").includes(select.value);
  };
  select.addEventListener("change", fit);
  fit();
}

// What was not taken is found at once: the field that a no names is marked, and a no that fits any field says which it is.
const inputOf = (no, within) => within.querySelector(`[name="${CSS.escape(no.dataset.field)}"]:not([type=hidden])`);
const sayWhere = (no, input) => {
  const label = input.labels && input.labels[0] ? input.labels[0].textContent.trim() : input.getAttribute("aria-label");
  const colon = document.documentElement.lang.startsWith("zh") ? "：" : ": ";
  if (label && "saysWhere" in no.dataset) no.textContent = label + colon + no.textContent;
};
const no = document.querySelector("[role=alert][data-field]");
const input = no && no.dataset.field && [...document.querySelectorAll("main form")].map((form) => inputOf(no, form)).find(Boolean);
if (input) {
  input.setAttribute("aria-invalid", "true");
  for (let each = input.closest("details"); each; each = each.parentElement.closest("details")) each.open = true;
  sayWhere(no, input);
  // A long form says it where it is to be mended.
  const field = input.closest("body.desk .field");
  if (field) {
    field.append(no);
    no.id ||= "no";
    input.setAttribute("aria-describedby", [input.getAttribute("aria-describedby"), no.id].filter(Boolean).join(" "));
    input.focus();
  }
}

// What a form will come to is shown beside it while it is filled in: [data-preview] names the address that says it.
for (const shown of document.querySelectorAll("[data-preview]")) {
  const form = shown.closest("form");
  let soon = 0, newest = 0;
  const show = async () => {
    const mine = ++newest;
    const fields = new URLSearchParams(new FormData(form));
    fields.delete("csrf");
    try {
      const answer = await fetch(`${shown.dataset.preview}?${fields}`, { headers: { accept: "application/json" } });
      if (!answer.ok || mine !== newest) return;
      shown.innerHTML = await answer.text();
      const missing = shown.querySelector("[data-field]");
      const input = missing && missing.dataset.field && inputOf(missing, form);
      if (input) sayWhere(missing, input);
    } catch { /* Nobody answers: it is shown with the next letter. */ }
  };
  form.addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(show, 250); });
  form.closest("details")?.addEventListener("toggle", show);
  if (!shown.closest("details:not([open])")) show();
}
