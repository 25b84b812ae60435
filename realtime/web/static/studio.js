// The studio page: one state at a time (idle, starting, live, told what is wrong).

import { askJson, keepToken } from "./api.js";
import { showBackdrops, showScene } from "./backdrops.js";
import { showFigures } from "./figures.js";
import { openCamera, openWatch } from "./line.js";

const POLL_MS = 1000;
const byId = (id) => document.getElementById(id);
const picture = byId("picture");

let hasCamera = false;
let scene = {};
let wanted = {}; // what was chosen here, sent along when this browser's camera starts
let line = null;
let attempt = 0;
let timer = 0;

function status(text, tone = "quiet") {
  if (byId("status").textContent !== text) byId("status").textContent = text;
  byId("status").dataset.tone = tone;
}

function notice(title, text, label = "", act = null) {
  byId("notice").hidden = false;
  byId("notice-title").textContent = title;
  byId("notice-text").textContent = text;
  byId("token-form").hidden = act !== sendToken;
  byId("action").hidden = !act;
  byId("action").textContent = label;
  byId("action").onclick = act;
}

async function connect() {
  status("Connecting");
  notice("One moment", "Looking for a camera.");
  try {
    const state = await askJson("GET", "/api/v1/state");
    const { backdrops } = await askJson("GET", "/api/v1/backdrops");
    hasCamera = state.camera;
    scene = hasCamera ? state.scene : { ...state.scene, ...wanted };
    showBackdrops(backdrops, choose);
    showScene(scene);
    byId("panel").hidden = false;
  } catch (error) {
    return explain(error);
  }
  if (hasCamera) return start();
  idle();
}

function idle() {
  status("Off");
  if (hasCamera) return notice("Stopped", "The line goes on; only this window looks away.", "Watch again", start);
  notice(
    "Nobody sees your room",
    "Scrim takes this browser's camera, replaces what is behind you and shows you the result.",
    "Use this browser's camera",
    start,
  );
}

async function start() {
  const mine = ++attempt;
  const asked = wanted;
  status("Starting");
  notice("Starting", hasCamera ? "Waiting for the picture." : "Allow the camera when the browser asks.");
  try {
    const lost = (why) => mine === attempt && broken(why);
    const opened = hasCamera ? await openWatch(lost) : await openCamera(wanted, lost);
    if (mine !== attempt) return opened.leave();
    line = opened;
    picture.srcObject = line.stream;
    byId("stop").hidden = false;
    if (line.session && wanted !== asked) choose(wanted);
    poll();
  } catch (error) {
    if (mine === attempt) explain(error);
  }
}

function leave() {
  attempt += 1;
  clearTimeout(timer);
  line?.leave();
  line = null;
  picture.srcObject = null;
  picture.classList.remove("on");
  byId("stop").hidden = true;
  showFigures(null);
}

async function broken(why) {
  leave();
  status("Lost", "bad");
  try {
    await askJson("GET", "/api/v1/state");
  } catch (error) {
    return explain(error);
  }
  notice("The picture stopped", why, "Reconnect", connect);
}

async function poll() {
  const mine = attempt;
  const path = line.session ? `/api/v1/sessions/${line.session}` : "/api/v1/state";
  try {
    const { figures, scene: now } = await askJson("GET", path);
    if (mine !== attempt) return;
    showFigures(figures);
    if (!line.session && now["scene.backdrop"] !== scene["scene.backdrop"]) showScene((scene = now));
    if (picture.classList.contains("on")) {
      status(figures.state === "live" ? "Live" : figures.state, figures.state === "live" ? "live" : "bad");
    }
    timer = setTimeout(poll, POLL_MS);
  } catch (error) {
    if (mine === attempt) explain(error);
  }
}

async function choose(changes) {
  byId("panel-message").textContent = "";
  wanted = { ...wanted, ...changes };
  if (!hasCamera && !line) return showScene((scene = { ...scene, ...changes }));
  const path = line?.session ? `/api/v1/sessions/${line.session}/scene` : "/api/v1/scene";
  try {
    showScene((scene = await askJson("PATCH", path, changes)));
  } catch (error) {
    if (error.status === 0 || error.status === 401) return explain(error);
    byId("panel-message").textContent = `${error.message}. ${error.hint ?? ""}`;
    showScene(scene);
  }
}

function sendToken() {
  if (!byId("token").reportValidity()) return;
  keepToken(byId("token").value);
  byId("token").value = "";
  connect();
}

function explain(error) {
  leave();
  status("Off", "bad");
  const camera = {
    NotAllowedError: ["The camera is blocked", "Allow it for this page next to the address bar, then try again."],
    NotFoundError: ["No camera found", "Plug one in, or close what hides it, then try again."],
    NotReadableError: ["The camera is busy", "Another program holds it. Close that, then try again."],
  }[error.name];
  if (camera) return notice(...camera, "Try again", start);
  if (error.status === 401) {
    notice("A token is needed", "It is web.token in the configuration of Scrim.", "Continue", sendToken);
    return byId("token").focus();
  }
  if (error.status === 503) return notice("All places are taken", `${error.hint}.`, "Try again", connect);
  if (error.status === 0) return notice("The server is gone", "Start Scrim again, then reconnect.", "Reconnect", connect);
  if (error.status === 404 && !hasCamera) return notice("The session ended", "Start again when you like.", "Start again", start);
  if (!navigator.mediaDevices && !hasCamera) {
    return notice("No camera here", "Browsers lend the camera to localhost and https only.", "Try again", connect);
  }
  notice("That did not work", `${error.message}. ${error.hint ?? ""}`, "Try again", connect);
}

// The picture is shown when there is one, not when it is promised.
picture.onplaying = () => {
  picture.classList.add("on");
  byId("notice").hidden = true;
  status("Live", "live");
};
byId("stop").onclick = () => {
  leave();
  idle();
  byId("action").focus();
};
byId("token-form").onsubmit = (event) => {
  event.preventDefault();
  sendToken();
};
addEventListener("pagehide", leave);
addEventListener("pageshow", (event) => event.persisted && connect());
connect();
