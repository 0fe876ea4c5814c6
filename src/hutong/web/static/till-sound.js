// The chime and the voice. A browser lets a page sound only after a finger touched it once.

const SWITCHES = "till.sound";
const NOTES = [[880, 0], [1318.5, 0.14]];
let context = null;
let wanted = { sound: true, voice: false };

/** Two notes, up. */
export function ring() {
  if (!wanted.sound || !context || context.state !== "running") return;
  for (const [hertz, begins] of NOTES) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    const at = context.currentTime + begins;
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.5, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.6);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.65);
  }
}

/** Say it in the page's language, if that is switched on. */
export function speak(text) {
  if (!wanted.voice || !("speechSynthesis" in window)) return;
  const said = new SpeechSynthesisUtterance(text);
  said.lang = document.documentElement.lang;
  speechSynthesis.speak(said);
}

/** Bring the switches of the page to life, and the sound with the first touch. */
export function soundSwitches() {
  try { wanted = { ...wanted, ...JSON.parse(localStorage.getItem(SWITCHES)) }; } catch { /* None was kept. */ }
  for (const name of ["sound", "voice"]) {
    const button = document.querySelector(`[data-${name}]`);
    button.setAttribute("aria-pressed", wanted[name]);
    button.addEventListener("click", () => {
      wanted[name] = !wanted[name];
      button.setAttribute("aria-pressed", wanted[name]);
      localStorage.setItem(SWITCHES, JSON.stringify(wanted));
      told();
      if (name === "sound") ring();
    });
  }
  if (!("AudioContext" in window)) return;
  context = new AudioContext();
  context.onstatechange = told;
  const unlock = () => { if (wanted.sound) context.resume(); };
  document.addEventListener("pointerdown", unlock);
  document.addEventListener("keydown", unlock);
  document.querySelector("[data-unlock]").addEventListener("click", () => context.resume().then(ring));
  told();
}

/** Say when nothing would be heard, though it is wanted. */
function told() {
  document.querySelector("[data-silent]").hidden = !context || !wanted.sound || context.state === "running";
}
