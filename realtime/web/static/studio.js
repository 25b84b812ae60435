// The studio page: one state at a time (idle, starting, live, told what is wrong).

import { askJson, logIn, sentence } from "./api.js";
import { loadBackdrops, showBackdrop, takeDrops } from "./backdrops.js";
import { offerCompare, toggleCompare } from "./compare.js";
import { byId } from "./element.js";
import { loadEngine, showNotice } from "./engine.js";
import { adviseSound, buildFigures, showFigures } from "./figures.js";
import { openCamera, openWatch } from "./line.js";
import { buildLook, showLook, showVerdict } from "./look.js";
import { loadPresets, showPreset } from "./presets.js";
import { isHere, openRoom } from "./room.js";
import { hearKeys } from "./shortcuts.js";

const POLL_MS = 1000;
const KEPT = "scrim-look"; // what was chosen for this browser's own camera, also the last time
const picture = byId("picture");

let hasCamera = false;
let look = {};
let wanted = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
let hidden = false;
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
    hasCamera = state.camera;
    const { components } = await askJson("GET", "/api/v1/openapi.json");
    buildLook(components.schemas.Look.properties, choose);
    await Promise.all([loadBackdrops(choose), loadPresets(choose), loadEngine(choose)]);
    show(hasCamera ? state.scene : { ...state.scene, ...wanted });
    byId("panel").hidden = byId("below").hidden = false;
  } catch (error) {
    return explain(error);
  }
  if (hasCamera) return start();
  idle();
}

function show(now) {
  look = now;
  showLook(look);
  showBackdrop(look["scene.backdrop"]);
  showPreset(look);
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
  clearTimeout(timer);
  timer = setTimeout(lookOut, POLL_MS);
}

// A camera that is plugged in now is watched as if it had been there.
async function lookOut() {
  const mine = attempt;
  try {
    const { camera } = await askJson("GET", "/api/v1/state");
    if (mine !== attempt) return;
    if (camera) return connect();
    timer = setTimeout(lookOut, POLL_MS);
  } catch (error) {
    if (mine === attempt) explain(error);
  }
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
    byId("privacy").disabled = false;
    offerCompare(before(line.camera));
    if (line.session && wanted !== asked) choose(wanted);
    poll();
  } catch (error) {
    if (mine === attempt) explain(error);
  }
}

// What the camera itself sees, where it may be seen: another computer is sent nothing of the room.
function before(camera) {
  if (camera) return async () => ({ stream: camera, close() {} });
  return isHere ? openRoom : null;
}

function leave() {
  attempt += 1;
  clearTimeout(timer);
  line?.leave();
  line = null;
  picture.srcObject = null;
  picture.classList.remove("on");
  byId("stop").hidden = true;
  byId("privacy").disabled = true;
  offerCompare(null);
  showPrivacy(false);
  showFigures(null);
  adviseSound(null);
  showVerdict(null);
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

const place = () => (line?.session ? `/api/v1/sessions/${line.session}` : null);

async function poll() {
  const mine = attempt;
  try {
    const state = await askJson("GET", "/api/v1/state");
    const own = place() ? await askJson("GET", place()) : state;
    if (mine !== attempt) return;
    showFigures(own.figures, state.peers.taken);
    adviseSound(line.session ? null : own.figures);
    showVerdict(own.figures.light);
    showNotice(own.notice);
    showPrivacy(own.hidden);
    if (!line.session && JSON.stringify(own.scene) !== JSON.stringify(look)) show(own.scene);
    if (picture.classList.contains("on")) tellState(own);
    timer = setTimeout(poll, POLL_MS);
  } catch (error) {
    if (mine === attempt) explain(error);
  }
}

function tellState({ hidden: slate, figures }) {
  if (slate) return status("Hidden", "bad");
  status(figures.state === "live" ? "Live" : figures.state, figures.state === "live" ? "live" : "bad");
}

async function choose(changes) {
  byId("panel-message").textContent = "";
  if (!hasCamera) keep({ ...wanted, ...changes });
  if (!hasCamera && !line) return show({ ...look, ...changes });
  try {
    show(await askJson("PATCH", place() ? `${place()}/scene` : "/api/v1/scene", changes));
  } catch (error) {
    if (error.status === 0 || error.status === 401) return explain(error);
    if (!hasCamera) keep(Object.fromEntries(Object.entries(wanted).filter(([key]) => !(key in changes))));
    byId("panel-message").textContent = sentence(error);
    show(look);
  }
}

function keep(now) {
  wanted = now;
  localStorage.setItem(KEPT, JSON.stringify(wanted));
}

async function togglePrivacy() {
  if (!line) return;
  try {
    const path = place() ? `${place()}/privacy` : "/api/v1/privacy";
    showPrivacy((await askJson("PUT", path, { hidden: !hidden })).hidden);
  } catch (error) {
    explain(error);
  }
}

function showPrivacy(now) {
  hidden = now;
  byId("privacy").setAttribute("aria-pressed", String(hidden));
  byId("privacy-label").textContent = hidden ? "Show me again" : "Hide me";
}

async function sendToken() {
  if (!byId("token").reportValidity()) return;
  try {
    await logIn(byId("token").value);
    connect();
  } catch (error) {
    explain(error);
  }
  byId("token").value = "";
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
  notice("That did not work", sentence(error), "Try again", connect);
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("screen").requestFullscreen();
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
byId("privacy").onclick = togglePrivacy;
byId("full").onclick = fullScreen;
hearKeys([
  [["p"], "Hide me, show me again", togglePrivacy],
  [["c"], "Compare with the room", toggleCompare],
  [["f"], "Full screen", fullScreen],
  [["b"], "Blurred room", () => choose({ "scene.backdrop": "blur" })],
  [["1", "2", "3", "4", "5", "6", "7", "8", "9"], "The first backdrops", (at) => nth(at)?.click()],
  [["?"], "This list", () => byId("shortcuts").showModal()],
]);
const nth = (at) => document.querySelectorAll("#pictures [data-backdrop]")[at];
takeDrops(choose);
addEventListener("pagehide", leave);
addEventListener("pageshow", (event) => event.persisted && connect());
buildFigures();
connect();
