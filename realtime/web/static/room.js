// What a camera itself sees, where it may be seen: another computer is sent nothing of the room.
// The server sends its own camera's pictures to this computer alone, while it is asked.

import { ask } from "./api.js";

const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

// What opens the room of a camera that this browser lends, or of the computer's own; or null.
export function roomOf(camera) {
  if (camera) return async () => ({ stream: camera, close() {} });
  return isHere ? openRoom : null;
}

// Gives { stream, close() }; `ended` is called when the server ends it.
async function openRoom(ended) {
  const control = new AbortController();
  const response = await ask("POST", "/room", { signal: control.signal });
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const draw = async (jpeg) => {
    const picture = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    if (canvas.width !== picture.width) Object.assign(canvas, { width: picture.width, height: picture.height });
    context.drawImage(picture, 0, 0);
    picture.close();
  };
  const stream = canvas.captureStream();
  readPictures(response.body.getReader(), draw).catch(() => {}).finally(ended);
  return { stream, close: () => control.abort() };
}

// Each picture is its length, 4 bytes, and a JPEG.
async function readPictures(reader, draw) {
  let kept = new Uint8Array();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const all = new Uint8Array(kept.length + value.length);
    all.set(kept);
    all.set(value, kept.length);
    kept = all;
    for (let end; kept.length >= 4 && kept.length >= (end = 4 + lengthAt(kept)); kept = kept.subarray(end)) {
      await draw(kept.subarray(4, end));
    }
  }
}

function lengthAt(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
