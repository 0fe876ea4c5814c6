// Scanning: by the camera as soon as the page is open, from a picture, or from what is pasted.
import { camera } from "./camera.js";

const form = document.querySelector("form[data-scan]");
let leaving = false;

// What is found is where it leads to.
const CODES = {
  formats: ["qr_code"],
  read: (text) => "/wallet/scan?code=" + encodeURIComponent(text),
  path: "/wallet/scan/frame",
  answered(answer) {
    if (answer.ok) return answer.body.path;
    if (answer.status === 401) location.reload();
    camera.tell(answer.body.said || "");
  },
};

function start() {
  if (document.hidden || leaving) return;
  camera.start(CODES, (path) => {
    leaving = true;
    location.assign(path);
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) camera.stop();
  else start();
});
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
