// Tabs: arrow keys go from one to the next (WAI-ARIA Authoring Practices, tabs with automatic activation).

import { element, freshId } from "./dom.js";

/** Tabs of [title, panel] pairs; `chosen` is told when another one is shown. */
export function tabs(label, pairs, chosen) {
  const buttons = pairs.map(([title, panel]) => {
    panel.id ||= freshId("tab-panel");
    const id = freshId("tab");
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", id);
    return element("button.tab", { id, type: "button", role: "tab", "aria-controls": panel.id }, title);
  });
  const open = (place) => {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", String(index === place));
      button.tabIndex = index === place ? 0 : -1;
      pairs[index][1].hidden = index !== place;
    });
    chosen?.();
  };
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const place = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
    open(place);
    buttons[place].focus();
  };
  buttons.forEach((button, index) => button.addEventListener("click", () => open(index)));
  const list = element("div.tabs", { role: "tablist", "aria-label": label, onkeydown: move }, buttons);
  queueMicrotask(() => open(0));
  return [list, pairs.map(([, panel]) => panel)];
}
