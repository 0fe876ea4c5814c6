// The camera: codes are found by the browser where it can, else in frames that the server reads and keeps not.
import { ask, buzz, say } from "./kit.js";

const PAUSE_MS = 250;
const SIDE_MAX = 800;
const QUALITY = 0.7;

const stage = document.querySelector("[data-camera]");
const video = stage?.querySelector("video");
const light = stage?.querySelector("[data-light]");
const told = document.querySelector("[data-camera-told]");
let stream = null;
let wanted = null; // The latest start, until it is stopped.

function tell(said) {
  told.textContent = said;
  told.hidden = !said;
}

function stop() {
  wanted = null;
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
}

/**
 * Watch until a code is found, then stop and give it to `seen`.
 *
 * `wants` says what counts: `formats`, for a browser that finds codes itself, and `read(text)`, what such a code is given as;
 * `path`, where frames are read otherwise, and `answered(answer)`, what an answer found, or nothing.
 */
async function start(wants, seen) {
  stop();
  const mine = wanted = {};
  stage.hidden = true;
  tell("");
  if (!isSecureContext) return tell(say("insecure"));
  if (!navigator.mediaDevices?.getUserMedia) return tell(say("camera-none"));
  let found;
  try {
    found = await navigator.mediaDevices.getUserMedia({ video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 } } });
  } catch (error) {
    return tell(say(error.name === "NotAllowedError" ? "camera-denied" : "camera-none"));
  }
  if (wanted !== mine) return found.getTracks().forEach((track) => track.stop());
  stream = found;
  video.srcObject = stream;
  await video.play().catch(() => {});
  if (stream !== found) return;
  stage.hidden = false;
  offerLight(found.getVideoTracks()[0]);
  watch(await reader(wants), seen);
}

function offerLight(track) {
  if (!light || !track.getCapabilities?.().torch) return;
  light.hidden = false;
  light.onclick = () => {
    const on = light.getAttribute("aria-pressed") !== "true";
    light.setAttribute("aria-pressed", on);
    track.applyConstraints({ advanced: [{ torch: on }] });
  };
}

/** What looks at the picture of now: gives the code in it, or nothing. */
async function reader({ formats, read, path, answered }) {
  const known = "BarcodeDetector" in window ? await BarcodeDetector.getSupportedFormats() : [];
  const found = formats.filter((each) => known.includes(each));
  if (found.length) {
    const detector = new BarcodeDetector({ formats: found });
    return async () => {
      const [code] = await detector.detect(video);
      return code && read(code.rawValue);
    };
  }
  const canvas = document.createElement("canvas");
  return async () => {
    const scale = Math.min(1, SIDE_MAX / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = video.videoWidth * scale;
    canvas.height = video.videoHeight * scale;
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const frame = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return frame && answered(await ask(path, frame));
  };
}

/** One look at a time: the next begins a moment behind the answer to the one before. */
async function watch(look, seen) {
  const mine = stream;
  while (stream === mine && stream) {
    const code = video.videoWidth ? await look().catch(() => "") : "";
    if (code && stream === mine) {
      stop();
      buzz(40);
      return seen(code);
    }
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
}

addEventListener("pagehide", stop);

export const camera = { start, stop, tell };
