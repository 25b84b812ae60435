// Light or dark: the system's choice until somebody presses the button; set before the first paint.

const KEPT = "scrim-theme";

try {
  const kept = localStorage.getItem(KEPT);
  if (kept) document.documentElement.dataset.theme = kept;
} catch {
  // a browser that keeps nothing follows the system
}

addEventListener("DOMContentLoaded", () => {
  document.getElementById("theme").onclick = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem(KEPT, root.dataset.theme);
    } catch {
      // until the page is left
    }
  };
});
