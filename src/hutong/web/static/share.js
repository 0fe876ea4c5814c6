// A link to be handed on: by what the phone has for that, else copied.
import { say } from "./kit.js";

document.querySelectorAll("[data-share]").forEach((share) => {
  share.hidden = false;
  share.addEventListener("click", async () => {
    if (navigator.share) return navigator.share({ title: share.dataset.title, url: share.dataset.share }).catch(() => {});
    await navigator.clipboard?.writeText(share.dataset.share);
    share.querySelector("[data-fill]").textContent = say("copied");
  });
});
