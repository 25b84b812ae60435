// The slate before the picture, put up and away. A lent camera is black while it is up, and before the
// server is asked: nothing of the room leaves this browser either.

import { askJson } from "./api.js";
import { byId } from "./element.js";

let place = null;
let camera = null;
let hidden = false;

// `path` is where to ask for it, whoever watches; null where there is no camera. `lent` is this
// browser's own.
export function offerPrivacy(path, lent, now = false) {
  [place, camera] = [path, lent];
  byId("privacy").disabled = !place;
  showPrivacy(now);
}

export function showPrivacy(now) {
  hidden = now;
  darken(hidden);
  byId("privacy").setAttribute("aria-pressed", String(hidden));
  byId("privacy-label").textContent = hidden ? "Show me again" : "Hide me";
}

export async function togglePrivacy() {
  if (!place) return;
  const wanted = !hidden;
  if (wanted) darken(true);
  showPrivacy((await askJson("PUT", place, { hidden: wanted })).hidden);
}

function darken(dark) {
  for (const track of camera?.getTracks() ?? []) track.enabled = !dark;
}
