// The camera: codes are found by the browser where it can, else in frames that the server reads and keeps not.
import { ask, buzz, say } from "./kit.js";

const PAUSE_MS = 250;
const SIDE_MAX = 800;
const QUALITY = 0.7;

const form = document.querySelector("form[data-scan]");
const stage = document.querySelector("[data-camera]");
const video = stage.querySelector("video");
const light = stage.querySelector("[data-light]");
const told = document.querySelector("[data-told]");
let stream = null;
let leaving = false;

function tell(name) {
  told.textContent = name && say(name);
  told.hidden = !name;
}

function go(path) {
  leaving = true;
  stop();
  buzz(40);
  location.assign(path);
}

function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
}

async function start() {
  if (!isSecureContext) return tell("insecure");
  if (!navigator.mediaDevices?.getUserMedia) return tell("none");
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 } } });
  } catch (error) {
    return tell(error.name === "NotAllowedError" ? "denied" : "none");
  }
  if (document.hidden || leaving) return stop();
  tell("");
  video.srcObject = stream;
  await video.play().catch(() => {});
  stage.hidden = false;
  const [track] = stream.getVideoTracks();
  if (track.getCapabilities?.().torch) {
    light.hidden = false;
    light.onclick = () => {
      const on = light.getAttribute("aria-pressed") !== "true";
      light.setAttribute("aria-pressed", on);
      track.applyConstraints({ advanced: [{ torch: on }] });
    };
  }
  watch(await reader());
}

/** What finds a code in the picture now: answers where it leads to, or nothing. */
async function reader() {
  if ("BarcodeDetector" in window && (await BarcodeDetector.getSupportedFormats()).includes("qr_code")) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async () => {
      const [found] = await detector.detect(video);
      return found && "/wallet/scan?code=" + encodeURIComponent(found.rawValue);
    };
  }
  const canvas = document.createElement("canvas");
  return async () => {
    const scale = Math.min(1, SIDE_MAX / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = video.videoWidth * scale;
    canvas.height = video.videoHeight * scale;
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const frame = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    const answer = frame && (await ask("/wallet/scan/frame", frame));
    if (answer && !answer.ok) {
      if (answer.status === 401) location.reload();
      told.textContent = answer.body.said || "";
      told.hidden = !told.textContent;
    }
    return answer && answer.ok && answer.body.path;
  };
}

/** One look at a time: the next begins a moment behind the answer to the one before. */
async function watch(look) {
  const mine = stream;
  while (stream === mine && stream) {
    if (video.videoWidth) {
      const path = await look().catch(() => "");
      if (path && stream === mine) return go(path);
    }
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) stop();
  else if (!stream && !leaving) start();
});
addEventListener("pagehide", stop);
addEventListener("pageshow", (event) => { if (event.persisted) { leaving = false; start(); } });

// A picture is sent as soon as it is chosen, or pasted.
const picture = form.elements.picture;
picture.addEventListener("change", () => { if (picture.files.length) form.requestSubmit(); });
addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) {
    picture.files = event.clipboardData.files;
    form.requestSubmit();
  }
});

start();
