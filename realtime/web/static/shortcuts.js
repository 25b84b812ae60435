// Keys of the studio. None acts while something is written, nor together with Ctrl, Alt or Meta.

import { byId, element } from "./element.js";

export function hearKeys(rows) {
  const list = rows.flatMap(([keys, meaning]) => [
    element("dt", {}, element("kbd", {}, keys.length > 1 ? `${keys[0]} – ${keys.at(-1)}` : keys[0].toUpperCase())),
    element("dd", {}, meaning),
  ]);
  byId("shortcut-list").replaceChildren(...list);
  byId("help").onclick = () => byId("shortcuts").showModal();
  addEventListener("keydown", (event) => {
    const writes = event.target.closest?.("input:not([type=range]):not([type=checkbox]), select, textarea, dialog");
    if (writes || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    for (const [keys, , act] of rows) {
      const at = keys.indexOf(event.key.toLowerCase());
      if (at >= 0) act(at);
    }
  });
}
