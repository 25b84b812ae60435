// The row of live figures under the picture.

export function showFigures(figures) {
  const { fps = 0, age_ms: age = {}, steps_ms: steps = {}, counts = {} } = figures ?? {};
  document.getElementById("figures").toggleAttribute("data-empty", !figures);
  show("fps", figures && fps.toFixed(0));
  show("p50", figures && age.p50.toFixed(0), "ms");
  show("p95", figures && age.p95.toFixed(0), "ms");
  show("matte", steps.matte?.toFixed(1), "ms");
  show("drops", figures && String(counts.drops ?? 0));
}

function show(name, value, unit = "") {
  const place = document.querySelector(`[data-figure="${name}"]`);
  place.textContent = value || "–";
  if (!value || !unit) return;
  const small = document.createElement("small");
  small.textContent = ` ${unit}`;
  place.append(small);
}
