// Bootstrap's theme is an attribute: let it follow the system, and print in light.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const set = (theme) => document.documentElement.setAttribute("data-bs-theme", theme);
  const follow = () => set(dark.matches ? "dark" : "light");
  follow();
  dark.addEventListener("change", follow);
  addEventListener("beforeprint", () => set("light"));
  addEventListener("afterprint", follow);
})();
