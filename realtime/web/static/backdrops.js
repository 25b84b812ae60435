// The card of backdrops: thumbnails, uploads, colours. Calls `choose` with the changes of the look.

import { ask, askJson, forget, sentence } from "./api.js";
import { byId, element, settled, titleOf } from "./element.js";
import { TYPES, complaintOf } from "./files.js";

export async function loadBackdrops(choose) {
  const { backdrops } = await askJson("GET", "/api/v1/backdrops");
  const place = byId("pictures");
  const held = place.contains(document.activeElement);
  place.replaceChildren(...backdrops.filter(({ kind }) => kind !== "colour").map((each) => tile(each, choose)));
  place.append(addTile(choose));
  if (held) byId("upload").focus();
  showSwatches(backdrops, choose);
}

// Colours among the backdrops, before the one that is picked freely.
export function showSwatches(backdrops, choose) {
  byId("colours").querySelectorAll("button").forEach((swatch) => swatch.remove());
  const own = byId("own-colour");
  const colours = backdrops.filter(({ kind }) => kind === "colour");
  own.parentElement.before(...colours.map(({ name }) => swatch(name, choose)));
  own.oninput = settled((event) => choose({ "scene.backdrop": event.target.value }));
}

export function showBackdrop(backdrop) {
  const buttons = [...document.querySelectorAll("[data-backdrop]")];
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(button.dataset.backdrop === backdrop));
  }
  const listed = buttons.some((button) => button.dataset.backdrop === backdrop);
  const own = backdrop.startsWith("#") && !listed;
  byId("own-colour").parentElement.classList.toggle("chosen", own);
  if (own) byId("own-colour").value = backdrop;
}

// Pictures that are dropped become backdrops, the last one is chosen; wherever they are dropped, for
// the browser would show them in the place of the page.
export function takeDrops(choose) {
  const over = (on) => (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    byId("screen").classList.toggle("over", on);
  };
  addEventListener("dragover", over(true));
  addEventListener("dragleave", over(false));
  addEventListener("drop", (event) => {
    over(false)(event);
    upload([...(event.dataTransfer?.files ?? [])], choose);
  });
}

async function upload(files, choose) {
  const message = byId("panel-message");
  message.textContent = "Uploading…";
  const said = [];
  let last = null;
  for (const file of files) {
    try {
      if (complaintOf(file)) throw { message: complaintOf(file) };
      const path = `/api/v1/backdrops?title=${encodeURIComponent(file.name.slice(0, 200))}`;
      last = await (await ask("POST", path, { body: file, type: file.type })).json();
    } catch (error) {
      said.push(sentence(error));
    }
  }
  try {
    if (last) {
      await loadBackdrops(choose);
      await choose({ "scene.backdrop": last.name });
    }
  } catch (error) {
    said.push(sentence(error));
  }
  if (said.length || message.textContent === "Uploading…") message.textContent = said.join(" ");
}

async function remove(name, chosen, choose) {
  try {
    await forget(`/api/v1/backdrops/${encodeURIComponent(name)}`);
    await loadBackdrops(choose);
    choose(chosen ? { "scene.backdrop": "blur" } : {});
  } catch (error) {
    byId("panel-message").textContent = sentence(error);
  }
}

export function tile({ name, kind, uploaded }, choose) {
  const label = kind === "blur" ? "Blurred room" : titleOf(name);
  const button = choice(name, `tile ${kind}`, choose);
  if (kind !== "blur") {
    const src = `/api/v1/backdrops/${encodeURIComponent(name)}/thumbnail`;
    button.append(element("img", { src, alt: "", loading: "lazy" }));
  }
  button.append(element("span", {}, label));
  if (!uploaded) return button;
  const act = () => remove(name, button.getAttribute("aria-pressed") === "true", choose);
  const cross = element("button", { type: "button", className: "remove", onclick: act }, "×");
  cross.setAttribute("aria-label", `Delete ${label}`);
  return element("div", { className: "holder" }, button, cross);
}

function addTile(choose) {
  const input = element("input", {
    type: "file",
    accept: TYPES.join(","),
    multiple: true,
    className: "hidden",
    id: "upload",
    onchange: ({ target }) => {
      const files = [...target.files];
      target.value = ""; // the same file may be chosen again
      upload(files, choose);
    },
  });
  return element("label", { className: "tile add", for: "upload" }, "Add a picture", input);
}

function swatch(name, choose) {
  const button = choice(name, "swatch", choose);
  button.style.background = name;
  button.setAttribute("aria-label", `Colour ${name}`);
  return button;
}

export function choice(name, look, choose) {
  return element("button", {
    type: "button",
    className: look,
    data: { backdrop: name },
    "aria-pressed": "false",
    onclick: () => choose({ "scene.backdrop": name }),
  });
}
