// Live figures: each with its last minute as a line, and what the steps of a frame take.

import { byId, element } from "./element.js";

const KEPT = 60;
const SVG = "http://www.w3.org/2000/svg";
const HUES = [172, 205, 38, 265, 12, 96, 320, 230];

const dropped = ({ counts }) => [counts.drops ?? 0, counts["viewer drops"] ?? 0];

const FIGURES = [
  { name: "fps", label: "Frames/s", lines: (now) => [now.fps], text: (now) => now.fps.toFixed(0) },
  {
    name: "age",
    label: "Age p50 / p95",
    title: "from capture to delivery: the median, and what 95 of 100 pictures keep below",
    unit: "ms",
    lines: (now) => [now.age_ms.p50, now.age_ms.p95],
    text: ({ age_ms: { p50, p95 } }) => (p50 ? `${p50.toFixed(0)} / ${p95.toFixed(0)}` : undefined),
  },
  {
    name: "matte",
    label: "Network",
    unit: "ms",
    lines: (now) => [now.steps_ms.matte ?? 0],
    text: (now) => now.steps_ms.matte?.toFixed(1),
  },
  {
    name: "flicker",
    label: "Flicker",
    title: "mean change of the matte where nothing moves, in thousandths",
    lines: (now) => [now.figures.flicker ?? 0],
    text: (now) => now.figures.flicker?.toFixed(2),
  },
  {
    name: "drops",
    label: "Drops / unsent",
    title: "pictures that came too fast for the line; those that a viewer's link was too slow for",
    lines: dropped,
    text: (now) => dropped(now).join(" / "),
  },
  { name: "viewers", label: "Viewers", lines: (now) => [now.viewers], text: (now) => String(now.viewers) },
];

let past = {};

export function buildFigures() {
  byId("figures").replaceChildren(
    ...FIGURES.map(({ name, label, title = "" }) => {
      const value = element("b", { data: { figure: name } }, "–");
      return element("li", { className: "figure", title }, element("span", {}, label), value, spark());
    }),
  );
}

export function showFigures(figures, viewers = 0) {
  if (!figures) past = {};
  const now = figures && { ...figures, viewers };
  for (const { name, unit, lines, text } of FIGURES) {
    const values = now ? lines(now) : [];
    const kept = (past[name] = [...(past[name] ?? []), values].slice(-KEPT));
    const place = document.querySelector(`[data-figure="${name}"]`);
    const shown = now && text(now);
    place.replaceChildren(shown ?? "–");
    if (shown && unit) place.append(element("small", {}, ` ${unit}`));
    draw(place.nextElementSibling, kept);
  }
  showSteps(figures?.steps_ms ?? {});
}

// The virtual camera has no sound: whoever brings it delays it by the picture's age.
export function adviseSound(figures) {
  const age = figures?.age_ms.p50 ?? 0;
  byId("sound").hidden = !age;
  byId("sound-delay").textContent = `${5 * Math.round(age / 5)} ms`;
}

function spark() {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("class", "spark");
  drawn.setAttribute("viewBox", `0 0 ${KEPT - 1} 24`);
  drawn.setAttribute("preserveAspectRatio", "none");
  drawn.setAttribute("aria-hidden", "true");
  return drawn;
}

function draw(drawn, kept) {
  const most = Math.max(1e-9, ...kept.flat()) * 1.15;
  const count = kept.at(-1)?.length ?? 0;
  const paths = Array.from({ length: count }, (_, which) => {
    const points = kept.map((values, at) => {
      const x = KEPT - kept.length + at;
      return `${x},${(23 - (22 * (values[which] ?? 0)) / most).toFixed(1)}`;
    });
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", points.length > 1 ? `M${points.join("L")}` : "");
    return path;
  });
  drawn.replaceChildren(...paths);
}

function showSteps(steps) {
  const names = Object.keys(steps);
  byId("steps").hidden = names.length === 0;
  const sum = names.reduce((total, name) => total + steps[name], 0);
  byId("steps-sum").textContent = `${sum.toFixed(1)} ms in all`;
  const colour = (at) => `hsl(${HUES[at % HUES.length]} 42% 52%)`;
  const bar = document.querySelector("#steps .stack");
  const list = document.querySelector("#steps ul");
  if (bar.childElementCount !== names.length) {
    bar.replaceChildren(...names.map(() => element("i")));
    list.replaceChildren(...names.map(() => element("li")));
  }
  names.forEach((name, at) => {
    bar.children[at].style.flexGrow = steps[name];
    bar.children[at].style.background = colour(at);
    list.children[at].style.setProperty("--dot", colour(at));
    list.children[at].textContent = `${name} ${steps[name].toFixed(1)}`;
  });
}
