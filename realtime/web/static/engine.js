// Which network, on which device.

import { askJson } from "./api.js";
import { byId, element } from "./element.js";

export async function loadEngine(choose) {
  const { models, devices } = await askJson("GET", "/api/v1/models");
  const places = [...devices.map(({ name, title }) => [name, title]), ["AUTO", "AUTO (OpenVINO chooses)"]];
  byId("engine").replaceChildren(
    list("matting.model", "Network", networks(models), choose),
    list("matting.device", "Device", places, choose),
  );
}

export function networks(models) {
  return models.map((model) => [model.name, model.default ? `${model.name} (default)` : model.name]);
}

export function options(choices) {
  return choices.map(([value, text]) => element("option", { value }, text));
}

export function showNotice(notice) {
  if (byId("engine-notice").textContent !== notice) byId("engine-notice").textContent = notice;
}

function list(key, label, choices, choose) {
  const id = `field-${key}`;
  const select = element(
    "select",
    { id, data: { key }, onchange: (event) => choose({ [key]: event.target.value }) },
    ...options(choices),
  );
  return element("div", { className: "field" }, element("label", { for: id }, label), select);
}
