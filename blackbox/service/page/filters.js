// Which jobs the list shows: by status, and by the keys and values that were handed in with them.

import { element, freshId } from "./dom.js";

const CHOICES = {
  all: [],
  "at work": ["queued", "validating", "running", "pausing", "cancelling"],
  paused: ["paused"],
  succeeded: ["succeeded"],
  failed: ["failed"],
  cancelled: ["cancelled"],
};

/** A form that calls `changed` with the query parameters of the list. */
export function filterForm(changed) {
  const [statusId, labelId] = [freshId("status"), freshId("metadata")];
  const status = element(
    "select",
    { id: statusId },
    Object.keys(CHOICES).map((name) => element("option", { value: name }, name)),
  );
  const label = element("input", {
    id: labelId,
    type: "search",
    placeholder: "team=support",
    pattern: "[^=\\[\\]]+=.*",
    title: "key=value, as handed in with the job",
    spellcheck: "false",
    autocomplete: "off",
  });
  const apply = () => label.checkValidity() && changed(parameters(status.value, label.value));
  return element(
    "form.filters",
    { onsubmit: (event) => (event.preventDefault(), apply()), onchange: apply, role: "search" },
    element("label", { for: statusId }, "Status"),
    status,
    element("label", { for: labelId }, "Tag"),
    label,
  );
}

function parameters(status, label) {
  const found = new URLSearchParams(CHOICES[status].map((name) => ["status", name]));
  const place = label.indexOf("=");
  if (place > 0) found.append(`metadata[${label.slice(0, place).trim()}]`, label.slice(place + 1).trim());
  return found;
}
