// The slate before the picture, put up and away. A lent camera is black while it is up, and before the
// server is asked: nothing of the room leaves this browser either.

import { askJson } from "./api.js";
import { byId } from "./element.js";

let place = null;
let camera = null;
let hidden = false;
let goal = false;
let waiting = 0;
let answers = Promise.resolve();

// `path` is where to ask for it, whoever watches; null where there is no camera. `lent` is this
// browser's own.
export function offerPrivacy(path, lent, now = false) {
  [place, camera] = [path, lent];
  byId("privacy").disabled = !place;
  showPrivacy(now);
}

// What the server says meanwhile is older than what was pressed.
export const privacyWaits = () => waiting > 0;

export function showPrivacy(now) {
  goal = hidden = now;
  darken(hidden);
  byId("privacy").dataset.hidden = hidden; // its label tells who cannot see it
  byId("privacy-label").textContent = hidden ? "Show me again" : "Hide me";
}

// One press after the other, each the opposite of the last; only the last one's answer is shown.
export function togglePrivacy() {
  if (!place) return Promise.resolve();
  const [asked, wanted] = [place, !goal];
  goal = wanted;
  if (wanted) darken(true);
  waiting += 1;
  const answer = answers.then(() => put(asked, wanted)).finally(() => (waiting -= 1));
  answers = answer.catch(() => (goal = hidden));
  return answer;
}

async function put(asked, wanted) {
  const { hidden: now } = await askJson("PUT", asked, { hidden: wanted });
  if (asked === place && wanted === goal) showPrivacy(now);
}

function darken(dark) {
  for (const track of camera?.getTracks() ?? []) track.enabled = !dark;
}
