// WebRTC: watching the computer's own line (WHEP), or lending it this browser's camera.

import { ask, askJson } from "./api.js";
import { preferredCamera } from "./cameras.js";

const GATHERING_MS = 2000;

// Both give { stream, session, camera, leave() }; `lost` is called once when the line breaks by itself.
export async function openWatch(lost) {
  const connection = new RTCPeerConnection({ iceServers: await iceServers() });
  const stream = receiving(connection);
  connection.addTransceiver("video", { direction: "recvonly" });
  return opened(connection, stream, [], lost, async (sdp) => {
    const response = await ask("POST", "/whep", { body: sdp, type: "application/sdp" });
    return { sdp: await response.text(), place: response.headers.get("Location") };
  });
}

export async function openCamera(scene, lost) {
  const connection = new RTCPeerConnection({ iceServers: await iceServers() });
  // Last of what may fail: a camera that nobody would close stays on.
  const camera = await navigator.mediaDevices.getUserMedia({
    video: { ...preferredCamera(), width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
  });
  const stream = receiving(connection);
  const tracks = camera.getTracks();
  for (const track of tracks) {
    connection.addTrack(track, camera);
    track.addEventListener("ended", () => lost("The camera was unplugged or taken away."));
  }
  return opened(connection, stream, tracks, lost, async (sdp) => {
    const { sdp: answer, session } = await askJson("POST", "/offer", { type: "offer", sdp, scene });
    return { sdp: answer, place: `/api/v1/sessions/${session}`, session, camera };
  });
}

async function opened(connection, stream, tracks, lost, signal) {
  let place = null;
  const leave = () => {
    connection.onconnectionstatechange = null;
    connection.close();
    tracks.forEach((track) => track.stop());
    if (place) ask("DELETE", place, { keepalive: true }).catch(() => {});
    place = null;
  };
  try {
    await connection.setLocalDescription();
    await gathered(connection);
    const answer = await signal(connection.localDescription.sdp);
    place = answer.place;
    await connection.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    connection.onconnectionstatechange = () => {
      if (["failed", "closed"].includes(connection.connectionState)) lost("The connection broke.");
    };
    return { stream, session: answer.session ?? null, camera: answer.camera ?? null, leave };
  } catch (error) {
    leave();
    throw error;
  }
}

// Those of the configuration, as WHEP names them.
async function iceServers() {
  const links = (await ask("OPTIONS", "/whep")).headers.get("Link") ?? "";
  const server = /<([^>]+)>; rel="ice-server"(?:; username="([^"]*)"; credential="([^"]*)")?/g;
  return [...links.matchAll(server)].map(([, urls, username, credential]) => ({ urls, username, credential }));
}

function receiving(connection) {
  const stream = new MediaStream();
  connection.ontrack = (event) => stream.addTrack(event.track);
  return stream;
}

function gathered(connection) {
  return new Promise((done) => {
    if (connection.iceGatheringState === "complete") return done();
    setTimeout(done, GATHERING_MS);
    connection.onicegatheringstatechange = () => {
      if (connection.iceGatheringState === "complete") done();
    };
  });
}
