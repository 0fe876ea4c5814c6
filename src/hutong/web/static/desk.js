// A desk's page that renews itself: [data-live] names the address of its own content.
const live = document.querySelector("[data-live]");
const EVERY_MS = 3000;

async function renew() {
  // Nobody reads a page that is not seen, and nobody likes a link to vanish under the finger.
  if (document.hidden || live.contains(document.activeElement) || live.querySelector("details[open]")) return;
  try {
    const answer = await fetch(live.dataset.live, { headers: { accept: "application/json" } });
    if (answer.status === 401) return location.reload();
    if (answer.ok) live.innerHTML = await answer.text();
    live.classList.toggle("stale", !answer.ok);
  } catch {
    live.classList.add("stale");
  }
}

if (live) setInterval(renew, EVERY_MS);
