// Money as it arrives: said on the page and, if wanted, by a sound; and the code, to be shared.
import { buzz, listen, say, stamp } from "./kit.js";

const news = document.querySelector("[data-news]");
const sound = document.querySelector("[data-sound]");
const share = document.querySelector("[data-share]");
let audio = null;

function ring() {
  if (!audio) return;
  [[880, 0], [1320, 0.14]].forEach(([pitch, at]) => {
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    const from = audio.currentTime + at;
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.25, from);
    loudness.gain.exponentialRampToValueAtTime(0.001, from + 0.4);
    tone.connect(loudness).connect(audio.destination);
    tone.start(from);
    tone.stop(from + 0.4);
  });
}

listen("/wallet/news", {
  "payment.received": (told) => {
    const entry = stamp("arrival", { said: told.said, remark: told.remark });
    entry.querySelector("a").href = told.bill;
    news.prepend(entry);
    news.hidden = false;
    ring();
    buzz([40, 60, 40]);
  },
});

// A page may sound only once it was touched: so it is asked for each time.
if (sound) {
  sound.hidden = false;
  sound.addEventListener("click", () => {
    const on = sound.getAttribute("aria-pressed") !== "true";
    sound.setAttribute("aria-pressed", on);
    sound.querySelector("[data-fill]").textContent = say(on ? "sound-on" : "sound-off");
    audio = on ? new AudioContext() : null;
    ring();
  });
}

if (share) {
  share.hidden = false;
  share.addEventListener("click", async () => {
    if (navigator.share) return navigator.share({ title: share.dataset.title, url: share.dataset.share }).catch(() => {});
    await navigator.clipboard?.writeText(share.dataset.share);
    share.querySelector("[data-fill]").textContent = say("copied");
  });
}
