// Elements. Text from users only ever becomes a text node: nothing here reads HTML.

const SVG = "http://www.w3.org/2000/svg";

// Attributes that are properties of an element; all others are set as attributes, events as listeners.
const PROPERTIES = new Set(["checked", "disabled", "hidden", "indeterminate", "max", "selected", "value"]);

/** An element: `element("a.soft", { href }, "text", child)`; children that are null or false are left out. */
export function element(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  return filled(made, attributes, children);
}

/** The same of SVG. */
export function drawn(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const made = document.createElementNS(SVG, tag);
  if (classes.length) made.setAttribute("class", classes.join(" "));
  return filled(made, attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name) && name in made) made[name] = value;
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Put other children into an element, unless they look the same as those it has: a reader keeps its place then. */
export function show(place, ...children) {
  const held = element("div", {}, ...children);
  const same = [...held.childNodes].every((child, index) => child.isEqualNode(place.childNodes[index] ?? null));
  if (same && held.childNodes.length === place.childNodes.length) return;
  place.replaceChildren(...held.childNodes);
}

let counter = 0;

/** A name that no other element has. */
export function freshId(stem) {
  counter += 1;
  return `${stem}-${counter}`;
}

/** Tell those who do not see the page; the same text twice is told twice. */
export function announce(text, { urgent = false } = {}) {
  const place = document.getElementById(urgent ? "alerts" : "announcements");
  place.textContent = "";
  setTimeout(() => (place.textContent = text), 50);
}

/** Ask whether something shall be done that cannot be undone. */
export function confirmed(title, text, yes) {
  const dialog = document.getElementById("question");
  document.getElementById("question-title").textContent = title;
  document.getElementById("question-text").textContent = text;
  document.getElementById("question-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
