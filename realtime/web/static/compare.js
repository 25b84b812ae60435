// Before and after: this browser's own camera, drawn here, beside what others see. The room's
// picture goes nowhere: it is the stream that this page holds already.

import { byId } from "./element.js";

const KEPT = "scrim-wipe";
let source = null;

export function offerCompare(camera) {
  source = camera;
  byId("compare").disabled = !camera;
  if (!camera) showCompare(false);
}

export function toggleCompare() {
  if (source) showCompare(byId("compare-layer").hidden);
}

function showCompare(on) {
  byId("compare-layer").hidden = !on;
  byId("compare").setAttribute("aria-pressed", String(on));
  byId("before").srcObject = on ? source : null;
  if (on) wipe(byId("wipe").value);
}

function wipe(percent) {
  byId("screen").style.setProperty("--wipe", `${percent}%`);
  sessionStorage.setItem(KEPT, percent);
}

byId("wipe").value = sessionStorage.getItem(KEPT) ?? 50;
byId("wipe").oninput = (event) => wipe(event.target.value);
byId("compare").onclick = toggleCompare;
