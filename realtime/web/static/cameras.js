// Which of this browser's cameras is lent: browsers tell which there are once one of them is.

import { byId, element } from "./element.js";
import { keep, recall } from "./kept.js";

const KEPT = "scrim-camera";
let round = 0;

// As `getUserMedia` asks for it: another one where it is not plugged in.
export function preferredCamera() {
  const id = recall(KEPT, null);
  return id ? { deviceId: { ideal: id } } : {};
}

// `again` lends anew; without a track none is lent.
export async function offerCameras(track, again) {
  const mine = ++round;
  const select = byId("camera");
  select.hidden = true;
  if (!track) return;
  const found = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
  if (mine !== round || found.length < 2) return;
  select.replaceChildren(...found.map(({ deviceId, label }) => element("option", { value: deviceId }, label)));
  select.value = track.getSettings().deviceId;
  select.hidden = false;
  select.onchange = () => {
    keep(KEPT, select.value);
    again();
  };
}
