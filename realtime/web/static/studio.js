// The studio page: one state at a time (idle, starting, live, told what is wrong).

import { askJson, logIn, sentence } from "./api.js";
import { loadBackdrops, showBackdrop, takeDrops } from "./backdrops.js";
import { offerCameras } from "./cameras.js";
import { offerCompare, toggleCompare } from "./compare.js";
import { byId } from "./element.js";
import { loadEngine, showNotice } from "./engine.js";
import { adviseSound, buildFigures, showFigures } from "./figures.js";
import { fullScreen } from "./fullscreen.js";
import { keep, recall } from "./kept.js";
import { openCamera, openWatch } from "./line.js";
import { buildLook, showLook, showVerdict } from "./look.js";
import { notice, status, tellState } from "./notice.js";
import { loadPresets, showPreset } from "./presets.js";
import { offerPrivacy, privacyWaits, showPrivacy, togglePrivacy } from "./privacy.js";
import { roomOf } from "./room.js";
import { hearKeys } from "./shortcuts.js";
import { troubleOf } from "./troubles.js";

const POLL_MS = 1000;
const PATIENCE = 3; // answers in a row that may be missing before the server counts as gone
const FROZEN = 2; // looks in a row without a new picture before it counts as frozen
const KEPT = "scrim-look"; // what was chosen for this browser's own camera, also the last time
const picture = byId("picture");

let hasCamera = false;
let look = {};
let wanted = recall(KEPT, {});
let line = null;
let attempt = 0;
let timer = 0;
let missed = 0;
let ticker = 0;
let drawn = 0;
let frozen = 0;
let changing = Promise.resolve();
let pressed = 0; // goes up with each change of ours: what the server said before is no news

async function connect() {
  const mine = ++attempt;
  clearTimeout(timer);
  status("Connecting");
  notice("One moment", "Looking for a camera.");
  try {
    const state = await askJson("GET", "/api/v1/state");
    hasCamera = state.camera;
    const { components } = await askJson("GET", "/api/v1/openapi.json");
    buildLook(components.schemas.Look.properties, choose);
    await Promise.all([loadBackdrops(choose), loadPresets(choose), loadEngine(choose)]);
    if (mine !== attempt) return;
    show(hasCamera ? state.scene : { ...state.scene, ...wanted });
    offerPrivacy(hasCamera ? "/api/v1/privacy" : null, null, state.hidden);
    byId("panel").hidden = byId("below").hidden = false;
  } catch (error) {
    return mine === attempt && explain(error);
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
  timer = setTimeout(lookOut, POLL_MS);
}

// A camera that is plugged in now, or a server that is started again, is watched as if it had been
// there.
async function lookOut(gone = false) {
  const mine = attempt;
  try {
    const { camera } = await askJson("GET", "/api/v1/state");
    if (mine !== attempt) return;
    if (camera || gone) return connect();
  } catch (error) {
    if (mine !== attempt) return;
    if (!gone || error.status !== 0) return explain(error);
  }
  timer = setTimeout(lookOut, POLL_MS, gone);
}

async function start() {
  const mine = ++attempt;
  clearTimeout(timer);
  const asked = wanted;
  status("Starting");
  notice("Starting", hasCamera ? "Waiting for the picture." : "Allow the camera when the browser asks.");
  try {
    const lost = (why) => mine === attempt && broken(why, hasCamera);
    const opened = hasCamera ? await openWatch(lost) : await openCamera(wanted, lost);
    if (mine !== attempt) return opened.leave();
    line = opened;
    picture.srcObject = line.stream;
    byId("stop").hidden = false;
    if (line.camera) offerPrivacy(`${place()}/privacy`, line.camera);
    if (line.camera) offerCameras(line.camera.getVideoTracks()[0], lendAnother);
    offerCompare(roomOf(line.camera));
    if (line.session && wanted !== asked) choose(wanted);
    poll();
    ticker = setInterval(watchPicture, POLL_MS); // also while the server does not answer
  } catch (error) {
    if (mine !== attempt) return;
    if (!hasCamera && [400, 404].includes(error.status) && Object.keys(asked).length) {
      error.lookGone = true;
      want({});
    }
    explain(error);
  }
}

function lendAnother() {
  leave();
  start();
}

function leave() {
  attempt += 1;
  clearTimeout(timer);
  clearInterval(ticker);
  line?.leave();
  if (line?.camera) offerPrivacy(null, null);
  offerCameras(null);
  line = null;
  missed = frozen = 0;
  picture.srcObject = null;
  picture.classList.remove("on");
  byId("stop").hidden = true;
  offerCompare(null);
  showFigures(null);
  adviseSound(null);
  showVerdict(null);
}

// `again` looks for it without a press, which lending a camera asks for.
async function broken(why, again = false) {
  leave();
  const mine = attempt;
  status("Lost", "bad");
  notice("The picture stopped", why, "Reconnect", connect);
  if (again) timer = setTimeout(connect, POLL_MS);
  try {
    await askJson("GET", "/api/v1/state");
  } catch (error) {
    if (mine === attempt) explain(error);
  }
}

const place = () => (line?.session ? `/api/v1/sessions/${line.session}` : "/api/v1");

async function poll() {
  const [mine, before] = [attempt, pressed];
  try {
    const own = await askJson("GET", line?.session ? place() : "/api/v1/state");
    if (mine !== attempt) return;
    if (!own.figures) return broken("Scrim has no camera any more.");
    missed = 0;
    if (before === pressed) tell(own);
    timer = setTimeout(poll, POLL_MS);
  } catch (error) {
    if (mine !== attempt) return;
    if (error.status !== 0 || ++missed >= PATIENCE) return explain(error);
    status("No answer", "bad");
    timer = setTimeout(poll, POLL_MS);
  }
}

function tell(own) {
  showFigures(own.figures, own.viewers);
  adviseSound(line.session ? null : own.figures);
  showVerdict(own.figures.light);
  showNotice(own.notice);
  if (!privacyWaits()) showPrivacy(own.hidden);
  if (!line.session && JSON.stringify(own.scene) !== JSON.stringify(look)) show(own.scene);
  if (picture.classList.contains("on") && frozen < FROZEN) tellState(own);
}

// Pictures come four times a second at least, also of a slate; a page that nobody sees draws none.
function watchPicture() {
  const { totalVideoFrames } = picture.getVideoPlaybackQuality();
  frozen = totalVideoFrames === drawn && !document.hidden ? frozen + 1 : 0;
  drawn = totalVideoFrames;
  if (picture.classList.contains("on") && frozen >= FROZEN) status("No picture", "bad");
}

// One change after the other: of two on their way at once the first might come last.
function choose(changes) {
  pressed += 1;
  changing = changing.then(() => change(changes)).catch(explain);
  return changing;
}

async function change(changes) {
  byId("panel-message").textContent = "";
  if (!hasCamera) want({ ...wanted, ...changes });
  if (!hasCamera && !line) return show({ ...look, ...changes });
  try {
    show(await askJson("PATCH", `${place()}/scene`, changes));
  } catch (error) {
    if (error.status === 0 || error.status === 401) return explain(error);
    if (!hasCamera) want(Object.fromEntries(Object.entries(wanted).filter(([key]) => !(key in changes))));
    byId("panel-message").textContent = sentence(error);
    show(look);
  }
}

function want(now) {
  wanted = now;
  keep(KEPT, wanted);
}

function hide() {
  pressed += 1;
  togglePrivacy().catch(explain).finally(() => (pressed += 1)); // what was asked meanwhile is old too
}

function explain(error) {
  leave();
  status("Off", "bad");
  const [title, text, label, next] = troubleOf(error, hasCamera);
  const token = () => byId("token-form").requestSubmit();
  notice(title, text, label, { start, connect, token }[next], next === "token");
  if (error.status === 0) timer = setTimeout(lookOut, POLL_MS, true);
}

// The picture is shown when there is one, not when it is promised.
picture.onplaying = () => {
  if (!line) return;
  picture.classList.add("on");
  byId("notice").hidden = true;
  status("Live", "live");
};
byId("stop").onclick = () => {
  leave();
  idle();
  byId("action").focus();
};
byId("token-form").onsubmit = async (event) => {
  event.preventDefault();
  try {
    await logIn(byId("token").value);
    connect();
  } catch (error) {
    error.wrong = true;
    explain(error);
  }
  byId("token").value = "";
};
byId("privacy").onclick = hide;
hearKeys([
  [["p"], "Hide me, show me again", hide],
  [["c"], "Compare with the room", toggleCompare],
  [["f"], "Full screen", fullScreen],
  [["b"], "Blurred room", () => choose({ "scene.backdrop": "blur" })],
  [[..."123456789"], "The first backdrops", (at) => document.querySelectorAll("#pictures [data-backdrop]")[at]?.click()],
  [["?"], "This list", () => byId("shortcuts").showModal()],
]);
takeDrops(choose);
addEventListener("pagehide", leave);
addEventListener("pageshow", (event) => event.persisted && connect());
buildFigures();
connect();
