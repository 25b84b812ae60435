// The picture alone on the screen; a telephone shows no element so, and is not offered it.

import { byId } from "./element.js";

export function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (document.fullscreenEnabled) byId("screen").requestFullscreen();
}

byId("full").hidden = !document.fullscreenEnabled;
byId("full").onclick = fullScreen;
