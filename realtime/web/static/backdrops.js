// The panel: what may stand behind you. Calls `choose` with the changes of the scene.

import { ask } from "./api.js";

const byId = (id) => document.getElementById(id);
const SETTLED_MS = 150;

export function showBackdrops(backdrops, choose) {
  byId("pictures").replaceChildren();
  document.querySelectorAll("button.swatch").forEach((swatch) => swatch.remove());
  for (const { name, kind } of backdrops) {
    if (kind === "colour") byId("own-colour").parentElement.before(swatch(name, choose));
    else byId("pictures").append(tile(name, kind, choose));
  }
  byId("own-colour").oninput = settled((event) => choose({ "scene.backdrop": event.target.value }));
  byId("blur").oninput = settled((event) => choose({ "scene.blur": Number(event.target.value) }));
}

export function showScene({ "scene.backdrop": backdrop, "scene.blur": blur }) {
  const buttons = document.querySelectorAll("[data-backdrop]");
  const names = [...buttons].map((button) => button.dataset.backdrop);
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(button.dataset.backdrop === backdrop));
  }
  const own = backdrop.startsWith("#") && !names.includes(backdrop);
  byId("own-colour").parentElement.classList.toggle("chosen", own);
  if (own) byId("own-colour").value = backdrop;
  byId("blur-row").hidden = backdrop !== "blur";
  if (document.activeElement !== byId("blur")) byId("blur").value = blur;
}

function tile(name, kind, choose) {
  const button = choice(name, `tile ${kind}`, choose);
  if (kind !== "blur") addThumbnail(button, name);
  const label = document.createElement("span");
  label.textContent = kind === "blur" ? "Blurred room" : title(name);
  button.append(label);
  return button;
}

function swatch(name, choose) {
  const button = choice(name, "swatch", choose);
  button.style.background = name;
  button.setAttribute("aria-label", `Colour ${name}`);
  return button;
}

function choice(name, look, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = look;
  button.dataset.backdrop = name;
  button.setAttribute("aria-pressed", "false");
  button.onclick = () => choose({ "scene.backdrop": name });
  return button;
}

// Fetched, not linked: a picture's own request could not carry the token.
async function addThumbnail(button, name) {
  const path = `/api/v1/backdrops/${encodeURIComponent(name)}/thumbnail`;
  try {
    const picture = document.createElement("img");
    picture.alt = "";
    picture.src = URL.createObjectURL(await (await ask("GET", path)).blob());
    picture.onload = () => URL.revokeObjectURL(picture.src);
    button.prepend(picture);
  } catch {
    button.title = "no preview";
  }
}

function title(name) {
  const words = name.replace(/\.[^.]+$/, "").replace(/[-_]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function settled(act) {
  let timer = 0;
  return (event) => {
    clearTimeout(timer);
    timer = setTimeout(act, SETTLED_MS, event);
  };
}
