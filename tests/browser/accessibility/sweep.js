// What axe does not test, measured on an open page: run by sweeping.py.
(() => {
  const name = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 140);
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getBoundingClientRect().width > 1;

  const rgba = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => {
    const mix = (channel) => top[channel] * top.a + under[channel] * (1 - top.a);
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = rgba(getComputedStyle(at).backgroundColor);
      if (layer.a) layers.push(layer);
      if (layer.a === 1) break;
    }
    return layers.reduceRight((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
  };
  const luminance = ({ r, g, b }) => {
    const [red, green, blue] = [r, g, b].map((channel) => {
      const s = channel / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, two) => {
    const [dark, light] = [luminance(one), luminance(two)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  const CONTROLS = "input:not([type=hidden]), select, textarea, button:not(.btn-link), a.btn:not(.btn-link), summary.btn";

  // 1.4.11: the edge of a control, or its ground, against what is around it.
  function faint() {
    const found = [];
    for (const control of document.querySelectorAll(CONTROLS)) {
      if (!seen(control) || control.disabled) continue;
      const style = getComputedStyle(control);
      const around = behind(control.parentElement);
      const sides = [behind(control)];
      if (parseFloat(style.borderTopWidth)) sides.push(over(rgba(style.borderTopColor), around));
      if (style.outlineStyle !== "none") sides.push(over(rgba(style.outlineColor), around));
      const best = Math.max(...sides.map((side) => contrast(side, around)));
      if (best < 3) found.push(`${best.toFixed(2)}:1 ${name(control)}`);
    }
    return found;
  }

  // 2.4.7: what has the focus looks otherwise than what has not.
  function unfocused() {
    const look = (element) => {
      const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(element);
      const outline = outlineStyle === "none" || outlineWidth === "0px" ? "none" : outlineWidth + outlineColor;
      const shape = element.querySelector(":scope > rect, :scope > circle, .bar, circle");
      const drawn = shape ? getComputedStyle(shape) : { stroke: "", strokeWidth: "", fillOpacity: "" };
      return [outline, boxShadow, drawn.stroke, drawn.strokeWidth, drawn.fillOpacity].join();
    };
    const found = [];
    const before = document.activeElement;
    for (const control of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")) {
      if (!seen(control) || control.disabled) continue;
      control.blur();
      const calm = look(control);
      control.focus({ preventScroll: true });
      if (document.activeElement === control && look(control) === calm) found.push(name(control));
    }
    document.activeElement.blur();
    before?.focus?.({ preventScroll: true });
    return found;
  }

  const inline = () =>
    [...document.querySelectorAll("script:not([src]), style, [style]:not([style=\"\"]), [onclick], [onchange], [onsubmit], [onload]")]
      .filter((element) => element.type !== "application/json")
      .map(name);

  const wide = () =>
    document.documentElement.scrollWidth <= 320
      ? []
      : [
          `${document.documentElement.scrollWidth} px`,
          ...[...document.querySelectorAll("body *")]
            .filter((e) => e.getBoundingClientRect().right > 321 && !e.closest(".table-responsive, .chart-scroll"))
            .slice(0, 3)
            .map(name),
        ];

  // A whole visit is entered and submitted without scrolling.
  const below = () =>
    [...document.querySelectorAll("[data-submit], #new-lesion-question")]
      .filter((element) => element.getBoundingClientRect().bottom > innerHeight)
      .map(name);

  // Everything that a summary hides is measured too; menus lie above the page and stay closed.
  function unfold() {
    document.querySelectorAll("details:not([data-menu])").forEach((one) => (one.open = true));
  }

  async function violations(options) {
    const { violations: all } = await axe.run(document, { resultTypes: ["violations"], ...options });
    return all.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.replace(/\s+/g, " ").slice(0, 160)).join(" | ")}`);
  }

  window.sweep = { below, faint, unfocused, inline, wide, unfold, violations };
})();
