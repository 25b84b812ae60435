// The photo page: pictures in, the same people before something else out; one after another.

import { ask, askJson, sentence } from "./api.js";
import { choice, showBackdrop, showSwatches, tile } from "./backdrops.js";
import { byId, element, settled } from "./element.js";
import { networks, options } from "./engine.js";
import { complaintOf } from "./files.js";

const CLEAR = "none";
const ENDINGS = { png: "png", jpeg: "jpg" };
const SAVE_MS = 300; // between two files: browsers leave out what is saved at once
const HEX = "A colour is # and six of 0–9 and a–f, such as #ffffff.";

let backdrop = CLEAR;
let round = 0; // goes up with each change of wishes: what was under way is for the old ones
const photos = [];

async function begin() {
  try {
    const [{ backdrops }, { models }] = await Promise.all([
      askJson("GET", "/api/v1/backdrops"),
      askJson("GET", "/api/v1/models"),
    ]);
    showChoices(backdrops);
    byId("model").replaceChildren(...options(networks(models)));
    byId("model").value = models.find((model) => model.default)?.name ?? models[0].name;
  } catch (error) {
    const text = error.status === 401 ? "Open the studio first: it asks for the token." : sentence(error);
    byId("wishes-message").textContent = text;
  }
}

function showChoices(backdrops) {
  const choose = (changes) => wish(changes["scene.backdrop"]);
  const clear = choice(CLEAR, "tile none", choose);
  clear.append(element("span", {}, "Clear"));
  const pictures = backdrops.filter(({ kind }) => kind === "blur" || kind === "picture");
  byId("pictures").replaceChildren(clear, ...pictures.map((each) => tile({ ...each, uploaded: false }, choose)));
  showSwatches([{ name: "#ffffff", kind: "colour" }, ...backdrops], choose);
  wish(backdrop);
}

function wish(name) {
  backdrop = name;
  showBackdrop(name);
  if (name.startsWith("#")) byId("hex").value = byId("own-colour").value = name;
  const jpeg = byId("format").querySelector('[value="jpeg"]');
  jpeg.disabled = name === CLEAR;
  if (name === CLEAR) byId("format").value = "png";
  again();
}

const again = settled(() => {
  round += 1;
  photos.forEach((photo) => show(photo, "waiting"));
  work();
}, 250);

function add(files) {
  byId("wishes-message").textContent = files.map(complaintOf).filter(Boolean).map((each) => `${each}.`).join(" ");
  const added = files.filter((file) => !complaintOf(file)).map(card);
  byId("results").prepend(...added.map(({ place }) => place));
  photos.push(...added);
  work();
}

function card(file) {
  const before = element("img", { src: URL.createObjectURL(file), alt: `${file.name}, as it was` });
  const after = element("img", { alt: `${file.name}, before the new background`, hidden: true });
  const frame = element("div", { className: "frame after chequers" }, after);
  const told = element("span", {}, file.name);
  const save = element("a", { className: "button", hidden: true }, "Save");
  save.setAttribute("aria-label", `Save ${file.name}`);
  const retry = element("button", { type: "button", hidden: true, "aria-label": `Try ${file.name} again` }, "Try again");
  const remove = element("button", { type: "button", "aria-label": `Remove ${file.name}` }, "Remove");
  const place = element(
    "li",
    { className: "card result", data: { state: "waiting" } },
    element(
      "div",
      { className: "pair" },
      element("figure", {}, element("figcaption", {}, "Original"), element("div", { className: "frame" }, before)),
      element("figure", {}, element("figcaption", {}, "Result"), frame),
    ),
    element("footer", {}, told, retry, save, remove),
  );
  const photo = { file, before, after, told, retry, save, place, state: "waiting", url: "" };
  retry.onclick = () => {
    show(photo, "waiting");
    work();
  };
  remove.onclick = () => discard(photo);
  return photo;
}

// Where it is the keyboard's, what is next to it is now.
function discard(photo) {
  const { before, place, url } = photo;
  const next = place.nextElementSibling ?? place.previousElementSibling;
  photos.splice(photos.indexOf(photo), 1);
  place.remove();
  [before.src, url].forEach((each) => URL.revokeObjectURL(each));
  (next?.querySelector("footer button:last-child") ?? byId("files")).focus();
  tell();
}

const AGAIN_MS = 5000;

let working = false;

async function work() {
  if (working) return;
  working = true;
  let later = false;
  for (let photo; !later && (photo = photos.find(({ state }) => state === "waiting")); ) later = await develop(photo);
  working = false;
  if (later) setTimeout(work, AGAIN_MS); // the server is busy, or starts again
}

async function develop(photo) {
  const mine = round;
  const format = byId("format").value;
  const query = new URLSearchParams({ backdrop, format, cut: byId("cut").value, model: byId("model").value });
  show(photo, "working");
  try {
    const answer = await ask("POST", `/api/v1/photo?${query}`, { body: photo.file, type: photo.file.type });
    const blob = await answer.blob();
    if (!photos.includes(photo)) return;
    if (mine !== round) return show(photo, "waiting");
    URL.revokeObjectURL(photo.url);
    photo.url = URL.createObjectURL(blob);
    photo.after.src = photo.save.href = photo.url;
    photo.save.download = `${photo.file.name.replace(/\.[^.]+$/, "")}-scrim.${ENDINGS[format]}`;
    show(photo, "done");
  } catch (error) {
    if (!photos.includes(photo)) return;
    if (mine !== round) return show(photo, "waiting");
    const later = [0, 503].includes(error.status);
    show(photo, later ? "waiting" : "failed", sentence(error));
    return later;
  }
}

function show(photo, state, said = "") {
  photo.state = photo.place.dataset.state = state;
  photo.after.hidden = !photo.url || state === "failed";
  photo.save.hidden = state !== "done";
  photo.retry.hidden = state !== "failed";
  photo.told.textContent = said ? `${photo.file.name}: ${said}` : photo.file.name;
  tell();
}

function tell() {
  const [done, failed] = ["done", "failed"].map((state) => photos.filter((photo) => photo.state === state).length);
  const ended = done + failed;
  byId("progress").hidden = !photos.length;
  byId("bar").max = photos.length;
  byId("bar").value = ended;
  byId("count").textContent = `${ended} of ${photos.length}`;
  byId("all").hidden = done < 2;
  const busy = ended < photos.length;
  const all = failed ? `${failed} of ${photos.length} failed` : photos.length ? "Done" : "Ready";
  byId("status").textContent = busy ? `Photo ${ended + 1} of ${photos.length}` : all;
  byId("status").dataset.tone = busy || !photos.length ? "quiet" : failed ? "bad" : "live";
}

byId("files").onchange = (event) => {
  add([...event.target.files]);
  event.target.value = "";
};
byId("all").onclick = () =>
  photos.filter(({ state }) => state === "done").forEach(({ save }, at) => setTimeout(() => save.click(), at * SAVE_MS));
byId("hex").oninput = ({ target }) => {
  target.removeAttribute("aria-invalid");
  if (byId("wishes-message").textContent === HEX) byId("wishes-message").textContent = "";
  if (target.validity.valid && target.value) wish(target.value);
};
byId("hex").onchange = ({ target }) => {
  if (target.validity.valid) return;
  target.setAttribute("aria-invalid", "true");
  byId("wishes-message").textContent = HEX;
};
byId("wishes").onsubmit = (event) => event.preventDefault();
for (const name of ["cut", "format", "model"]) byId(name).onchange = again;
const over = (on) => (event) => {
  event.preventDefault();
  byId("drop").classList.toggle("over", on);
};
addEventListener("dragover", over(true));
addEventListener("dragleave", over(false));
addEventListener("drop", (event) => {
  over(false)(event);
  add([...event.dataTransfer.files]);
});
begin();
