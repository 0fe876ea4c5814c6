// The camera of the till: codes are found by the browser where it can, else in frames that the server reads and keeps not.
import { ask, say } from "./kit.js";

const PAUSE_MS = 250;
const SIDE_MAX = 800;
const FORMATS = ["qr_code", "code_128"];

const stage = document.querySelector("[data-camera]");
const video = stage?.querySelector("video");
const told = document.querySelector("[data-camera-told]");
let stream = null;
let wanted = false;

function tell(name) {
  told.textContent = name && say(name);
  told.hidden = !name;
}

function stop() {
  wanted = false;
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  if (stage) stage.hidden = true;
}

/** Watch until a code is seen, and tell it. */
async function start(seen) {
  stop();
  tell("");
  wanted = true;
  if (!isSecureContext) return tell("insecure");
  if (!navigator.mediaDevices?.getUserMedia) return tell("camera-none");
  let found;
  try {
    found = await navigator.mediaDevices.getUserMedia({ video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 } } });
  } catch (error) {
    return tell(error.name === "NotAllowedError" ? "refused" : "camera-none");
  }
  if (!wanted) return found.getTracks().forEach((track) => track.stop());
  stream = found;
  video.srcObject = stream;
  await video.play().catch(() => {});
  stage.hidden = false;
  watch(await reader(), seen);
}

async function watch(read, seen) {
  const mine = stream;
  while (stream === mine && stream) {
    const code = video.videoWidth ? await read().catch(() => "") : "";
    if (code && stream === mine) {
      stop();
      navigator.vibrate?.(40);
      return seen(code);
    }
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
}

async function reader() {
  const known = "BarcodeDetector" in window ? await BarcodeDetector.getSupportedFormats() : [];
  const formats = FORMATS.filter((each) => known.includes(each));
  if (formats.length) {
    const detector = new BarcodeDetector({ formats });
    return async () => (await detector.detect(video))[0]?.rawValue || "";
  }
  const canvas = document.createElement("canvas");
  return async () => {
    const scale = Math.min(1, SIDE_MAX / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = video.videoWidth * scale;
    canvas.height = video.videoHeight * scale;
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const frame = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.7));
    const answer = frame && (await ask("/till/frame", frame));
    return (answer && answer.ok && answer.body.code) || "";
  };
}

addEventListener("pagehide", stop);

export const camera = { start, stop };
