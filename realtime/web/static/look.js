// The card of sliders: what the API's document says can be changed, in groups, the rest folded away.

import { byId, element } from "./element.js";
import { field, showValues } from "./fields.js";

const GROUPS = [
  ["Light", "light", ["light.scene", "light.time"]],
  ["Steadiness", "temporal", ["temporal.strength"]],
  ["Edges", "edges", ["edges.despill", "edges.wrap", "refine.feather"]],
];
const ELSEWHERE = ["scene.backdrop", "scene.blur", "scene.fit", "matting.model", "matting.device"];

let defaults = {};

export function buildLook(schemas, choose) {
  const keys = Object.fromEntries(
    Object.entries(schemas).filter(([key]) => !ELSEWHERE.includes(key)),
  );
  const shown = GROUPS.map(([title, name, members]) => {
    const fields = members.filter((key) => key in keys).map((key) => take(keys, key, choose));
    return fields.length ? group(title, name, fields) : null;
  });
  const rest = Object.keys(keys).map((key) => take(keys, key, choose));
  const more = element("details", {}, element("summary", {}, "More"), ...rest);
  byId("look").replaceChildren(...shown.filter(Boolean), ...(rest.length ? [more] : []));
  const backdrop = ["scene.blur", "scene.fit"].filter((key) => key in schemas);
  byId("backdrop-fields").replaceChildren(...backdrop.map((key) => field(key, schemas[key], choose)));
  defaults = Object.fromEntries(
    Object.entries(schemas)
      .filter(([key, { default: value }]) => value !== undefined && !ELSEWHERE.includes(key))
      .map(([key, { default: value }]) => [key, value]),
  );
  byId("reset").onclick = () => choose(defaults);
}

export function showLook(look) {
  showValues(look);
  const backdrop = look["scene.backdrop"];
  show("scene.blur", backdrop === "blur");
  show("scene.fit", backdrop !== "blur" && !backdrop.startsWith("#"));
}

// The verdict on the person's light, beside the sliders that act on it.
export function showVerdict(light) {
  const place = byId("verdict");
  if (!place) return;
  const verdict = light?.verdict;
  place.hidden = !verdict;
  if (!verdict || place.textContent === verdict) return;
  place.textContent = verdict === "ok" ? "Light fits" : verdict.charAt(0).toUpperCase() + verdict.slice(1);
  place.dataset.ok = String(verdict === "ok");
}

function take(keys, key, choose) {
  const schema = keys[key];
  delete keys[key];
  return field(key, schema, choose);
}

function group(title, name, fields) {
  const head = element("header", {}, element("h3", {}, title));
  if (name === "light") head.append(element("span", { id: "verdict", className: "verdict", hidden: true }));
  return element("div", { className: "group" }, head, ...fields);
}

function show(key, visible) {
  const control = document.querySelector(`[data-key="${key}"]`);
  if (control) control.closest(".field").hidden = !visible;
}
