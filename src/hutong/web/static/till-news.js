// What the shop receives, each announced once: where this page had come to is kept, so a lost line loses nothing.

const KEPT = "till.heard";
const STALE_MS = 600_000; // A till that was closed for longer begins with now; the list has the rest.
const SILENT_MS = 40_000; // The server says something every fifteen seconds.
const RETRY_MS = 2000;

/** `heard` gets the news of payments, `refunded` that of a refund, `state(live)` whether the line stands. */
export function hear({ position, merchant, heard, refunded, state }) {
  let at = begun(position, merchant);
  let source = null;
  let together = null; // What came while the line was down: told at once, when all of it is here.
  let watch = 0;
  let retry = 0;

  function keep(found) {
    at = found;
    sessionStorage.setItem(KEPT, JSON.stringify({ at, merchant, when: Date.now() }));
  }

  function alive() {
    clearTimeout(watch);
    watch = setTimeout(lost, SILENT_MS);
  }

  function lost() {
    close();
    state(false);
    clearTimeout(retry);
    retry = setTimeout(open, RETRY_MS);
  }

  function close() {
    clearTimeout(watch);
    source?.close();
    source = null;
    flush();
  }

  function flush() {
    const all = together;
    together = null;
    if (all?.length) heard(all);
  }

  function take(event, use) {
    alive();
    const found = Number(event.lastEventId);
    if (found <= at) return; // Announced before the line was lost.
    keep(found);
    use(JSON.parse(event.data));
  }

  function open() {
    clearTimeout(retry);
    close();
    if (!navigator.onLine) return;
    source = new EventSource(`/till/events?after=${at}`);
    together = [];
    alive();
    source.addEventListener("ready", () => {
      alive();
      state(true);
      flush();
    });
    source.addEventListener("beat", (event) => take(event, () => {}));
    source.addEventListener("payment.completed", (event) => take(event, (news) => (together ? together.push(news) : heard([news]))));
    source.addEventListener("refund.completed", (event) => take(event, refunded));
    source.addEventListener("signed-out", () => { close(); location.reload(); });
    source.addEventListener("error", lost);
  }

  addEventListener("offline", () => { close(); state(false); });
  addEventListener("online", open);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  keep(at);
  open();
}

/** Where to go on from: where this page's forerunner had come to, if that is not long ago and was at the same counter. */
function begun(position, merchant) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    if (kept.merchant === merchant && Date.now() - kept.when < STALE_MS && kept.at <= position) return kept.at;
  } catch { /* Nothing was kept. */ }
  return position;
}
