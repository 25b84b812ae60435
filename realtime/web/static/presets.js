// Looks with a name, kept by the server. Choosing one is choosing all that it holds.

import { ask, askJson, forget, sentence } from "./api.js";
import { byId, element } from "./element.js";

let presets = {};
let look = {};

export async function loadPresets(choose) {
  ({ presets } = await askJson("GET", "/api/v1/presets"));
  byId("presets").replaceChildren(...Object.keys(presets).map((name) => chip(name, choose)));
  byId("save").onsubmit = (event) => {
    event.preventDefault();
    const name = byId("preset-name").value.trim();
    tell(() => ask("PUT", path(name), { json: look }), choose).then((kept) => {
      if (kept) byId("preset-name").value = "";
    });
  };
  showPreset(look);
}

// Marks the preset that is the look of now, if one is.
export function showPreset(now) {
  look = now;
  for (const chosen of document.querySelectorAll("[data-preset]")) {
    const held = Object.entries(presets[chosen.dataset.preset] ?? { "": null });
    chosen.setAttribute("aria-pressed", String(held.every(([key, value]) => look[key] === value)));
  }
}

function chip(name, choose) {
  const choosing = element(
    "button",
    { type: "button", data: { preset: name }, "aria-pressed": "false", onclick: () => choose(presets[name]) },
    name,
  );
  const removing = element("button", { type: "button", onclick: () => remove(name, choose) }, "×");
  removing.setAttribute("aria-label", `Delete ${name}`);
  return element("li", { className: "chip" }, choosing, removing);
}

async function remove(name, choose) {
  if (await tell(() => forget(path(name)), choose)) byId("preset-name").focus();
}

async function tell(act, choose) {
  byId("preset-message").textContent = "";
  try {
    await act();
    await loadPresets(choose);
    return true;
  } catch (error) {
    byId("preset-message").textContent = sentence(error);
    return false;
  }
}

function path(name) {
  return `/api/v1/presets/${encodeURIComponent(name)}`;
}
