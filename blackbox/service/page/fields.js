// Fields of forms: a label, one sentence that says what is meant, and the error beside it.

import { element, freshId } from "./dom.js";

/**
 * A field. `params` are the parts of a request that it stands for: an error of the service that names one of them is
 * shown here. `control` is an input, select or textarea.
 */
export function field(label, control, { hint = "", params = [] } = {}) {
  control.id ||= freshId("field");
  const [hintId, errorId] = [freshId("hint"), freshId("error")];
  control.setAttribute("aria-describedby", `${hintId} ${errorId}`);
  return element(
    "div.field",
    { "data-params": params.join(" ") },
    element("label", { for: control.id }, label),
    control,
    element("p.hint", { id: hintId }, hint),
    element("p.error", { id: errorId }),
  );
}

export function input(type, attributes = {}) {
  return element("input", { type, autocomplete: "off", ...attributes });
}

export function area(rows, attributes = {}) {
  return element("textarea", { rows, spellcheck: "false", ...attributes });
}

/** A select of [value, label] pairs. */
export function select(pairs, attributes = {}) {
  const made = element("select", attributes);
  setChoices(made, pairs);
  return made;
}

/** Other choices for a select; what was chosen stays so where it is still there. */
export function setChoices(control, pairs) {
  const chosen = control.value;
  control.replaceChildren(...pairs.map(([value, label]) => element("option", { value }, label)));
  if (pairs.some(([value]) => value === chosen)) control.value = chosen;
}

export function setHint(control, text) {
  document.getElementById(control.getAttribute("aria-describedby")?.split(" ")[0] ?? "")?.replaceChildren(text);
}

/** Show or, with "", take away the error of a field. */
export function setError(node, text) {
  node.querySelector(".error").textContent = text;
  const control = node.querySelector("input, select, textarea");
  if (text) control?.setAttribute("aria-invalid", "true");
  else control?.removeAttribute("aria-invalid");
}

/** The field of a form that stands for a part of a request: the one that names most of it. */
export function fieldOf(form, param) {
  let [best, length] = [null, 0];
  for (const node of form.querySelectorAll("[data-params]")) {
    for (const own of node.dataset.params.split(" ")) {
      const fits = own && (param === own || param.startsWith(`${own}.`));
      if (fits && own.length > length) [best, length] = [node, own.length];
    }
  }
  return best;
}

/** A part of a form with its heading. */
export function part(title, lead, ...children) {
  const id = freshId("part");
  return element(
    "section",
    { "aria-labelledby": id },
    element("h2", { id }, title),
    element("p.soft", {}, lead),
    children,
  );
}
