// Controls for settings, made from their schema in the OpenAPI document: a number is a slider, a
// choice a list, a switch a box. Calls `choose` with the changes.

import { element, settled } from "./element.js";
import { CHOICES, SETTINGS } from "./words.js";

const WIDE = 100; // a range that is no slider's

// A slider says its value itself: read out again, all of them are with every preset.
export function field(key, schema, choose) {
  const id = `field-${key}`;
  const [name, title] = SETTINGS[key] ?? [key, schema.description ?? ""];
  const control = controlOf(key, schema, choose);
  control.id = id;
  control.dataset.key = key;
  control.setAttribute("aria-describedby", `${id}-why`);
  const label = element("label", { for: id }, name);
  const end = control.type === "range" ? [element("output", { for: id, "aria-live": "off" }), control] : [control];
  const why = element("p", { className: "why", id: `${id}-why` }, title);
  return element("div", { className: "field", title }, label, ...end, why);
}

export function showValues(look) {
  for (const control of document.querySelectorAll("[data-key]")) {
    const value = look[control.dataset.key];
    const held = control === document.activeElement && ["range", "number"].includes(control.type);
    if (value === undefined || held) continue;
    if (control.type === "checkbox") control.checked = value;
    else control.value = value;
    showOutput(control);
  }
}

function controlOf(key, schema, choose) {
  const settle = settled((value) => choose({ [key]: value }));
  if (schema.enum) {
    const options = schema.enum.map((value) => element("option", { value }, CHOICES[value] ?? value));
    return element("select", { onchange: (event) => choose({ [key]: event.target.value }) }, ...options);
  }
  if (schema.type === "boolean") {
    return element("input", { type: "checkbox", onchange: (event) => choose({ [key]: event.target.checked }) });
  }
  if (schema.maximum - schema.minimum > WIDE) return number(key, schema, choose);
  const whole = schema.type === "integer";
  return element("input", {
    type: "range",
    min: schema.minimum,
    max: schema.maximum,
    step: whole ? 1 : 0.01,
    oninput: (event) => {
      showOutput(event.target);
      settle(Number(event.target.value));
    },
  });
}

function number(key, { minimum, maximum }, choose) {
  const tell = ({ target }) => target.reportValidity() && choose({ [key]: Number(target.value) });
  return element("input", { type: "number", required: true, min: minimum, max: maximum, step: "any", onchange: tell });
}

function showOutput(control) {
  const output = control.parentElement.querySelector("output");
  if (!output) return;
  const value = Number(control.value);
  output.textContent = control.step === "1" ? String(value) : `${Math.round(value * 100)} %`;
}
