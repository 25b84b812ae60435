// Before and after: the camera's own picture beside what others see. A lent camera's is the stream
// that this page holds already and goes nowhere; the computer's own comes on this press only.

import { sentence } from "./api.js";
import { byId } from "./element.js";
import { keep, recall } from "./kept.js";

const KEPT = "scrim-wipe";
let open = null;
let shown = null;

// `opener` gives a promise of { stream, close() }, and is told what to call at its end.
export function offerCompare(opener) {
  open = opener;
  byId("compare").disabled = !opener;
  hide();
}

export async function toggleCompare() {
  byId("compare-message").textContent = "";
  if (shown) return hide();
  if (!open) return;
  const mine = (shown = { close() {} });
  try {
    const opened = await open(() => shown === opened && end());
    if (shown !== mine) return opened.close();
    shown = opened;
    show(opened.stream);
    wipe(byId("wipe").value);
  } catch (error) {
    hide();
    byId("compare-message").textContent = sentence(error);
  }
}

function end() {
  hide();
  byId("compare-message").textContent = "The picture of the room has ended.";
}

function hide() {
  shown?.close();
  shown = null;
  show(null);
}

function show(stream) {
  byId("compare-layer").hidden = !stream;
  byId("compare").setAttribute("aria-pressed", String(Boolean(stream)));
  byId("before").srcObject = stream;
}

function wipe(percent) {
  byId("screen").style.setProperty("--wipe", `${percent}%`);
  keep(KEPT, percent);
}

byId("wipe").value = recall(KEPT, 50);
byId("wipe").oninput = (event) => wipe(event.target.value);
byId("compare").onclick = toggleCompare;
addEventListener("visibilitychange", () => document.hidden && hide());
