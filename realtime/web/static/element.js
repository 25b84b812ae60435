// Elements in one call: element("li", { className: "chip" }, child, "text").

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "data") Object.assign(made.dataset, value);
    else if (name.startsWith("aria-") || name === "for") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

// "morning-window-3f2a91c0.jpg" is called "Morning window".
export function titleOf(name) {
  const words = name.replace(/\.[^.]+$/, "").replace(/-[0-9a-f]{8}$/, "").replace(/[-_]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function settled(act, pause = 150) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(act, pause, ...given);
  };
}
