// What the page says: in a word at the top, and in a few over a picture that is not there.

import { byId } from "./element.js";

export function status(text, tone = "quiet") {
  if (byId("status").textContent !== text) byId("status").textContent = text;
  byId("status").dataset.tone = tone;
}

// Of a line whose picture is shown.
export function tellState({ hidden, figures: { state } }) {
  if (hidden) return status("Hidden", "bad");
  status(state === "live" ? "Live" : state, state === "live" ? "live" : "bad");
}

// With `token` it is asked for.
export function notice(title, text, label = "", act = null, token = false) {
  byId("notice").hidden = false;
  byId("notice-title").textContent = title;
  byId("notice-text").textContent = text;
  byId("token-form").hidden = !token;
  byId("action").hidden = !act;
  byId("action").textContent = label;
  byId("action").onclick = act;
  if (token) byId("token").focus();
}
