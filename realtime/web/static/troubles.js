// What went wrong, in the words of who looks at the page, and what to do next: connect, start or
// send the token.

import { sentence } from "./api.js";

const CAMERA = {
  NotAllowedError: ["The camera is blocked", "Allow it for this page next to the address bar, then try again."],
  NotFoundError: ["No camera found", "Plug one in, or close what hides it, then try again."],
  NotReadableError: ["The camera is busy", "Another program holds it. Close that, then try again."],
  AbortError: ["The camera does not start", "Unplug it and plug it in again, then try again."],
};

export function troubleOf(error, hasCamera) {
  if (error.name in CAMERA) return [...CAMERA[error.name], "Try again", "start"];
  if (error.status === 401) {
    const title = error.wrong ? "That is not the token" : "A token is needed";
    return [title, "It is web.token in the configuration of Scrim.", "Continue", "token"];
  }
  if (error.status === 503) return ["All places are taken", sentence({ message: error.hint }), "Try again", "connect"];
  if (error.status === 0) {
    return ["The server is gone", "Start Scrim again: this page comes back by itself.", "Reconnect", "connect"];
  }
  if (error.lookGone) {
    return ["The last look is gone", `${sentence(error)} The usual one is chosen now.`, "Start again", "connect"];
  }
  if (error.status === 404 && !hasCamera) {
    return ["The session ended", "Start again when you like.", "Start again", "start"];
  }
  if (!globalThis.RTCPeerConnection) {
    return ["This browser shows no live picture", "WebRTC is missing or turned off here.", "Try again", "connect"];
  }
  if (!navigator.mediaDevices && !hasCamera) {
    return ["No camera here", "Browsers lend the camera to localhost and https only.", "Try again", "connect"];
  }
  return ["That did not work", sentence(error), "Try again", "connect"];
}
