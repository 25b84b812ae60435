// Before and after: the camera's own picture beside what others see. A lent camera's is the stream
// that this page holds already and goes nowhere; the computer's own comes on this press only.

import { sentence } from "./api.js";
import { byId } from "./element.js";

const KEPT = "scrim-wipe";
let open = null;
let shown = null;

// `opener` gives a promise of { stream, close() }, and is told what to call at its end.
export function offerCompare(opener) {
  open = opener;
  byId("compare").disabled = !opener;
  byId("compare").title = "";
  hide();
}

export async function toggleCompare() {
  if (shown) return hide();
  if (!open) return;
  const mine = (shown = { close() {} });
  try {
    const opened = await open(() => shown === opened && hide());
    if (shown !== mine) return opened.close();
    shown = opened;
    show(opened.stream);
    wipe(byId("wipe").value);
  } catch (error) {
    hide();
    byId("compare").disabled = true;
    byId("compare").title = sentence(error);
  }
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
  sessionStorage.setItem(KEPT, percent);
}

byId("wipe").value = sessionStorage.getItem(KEPT) ?? 50;
byId("wipe").oninput = (event) => wipe(event.target.value);
byId("compare").onclick = toggleCompare;
addEventListener("visibilitychange", () => document.hidden && hide());
