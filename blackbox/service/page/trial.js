// Trying the best prompt on a text: the answer, and how sure the model is of each label.

import { ask, jobPath } from "./api.js";
import { announce, element, freshId, show } from "./dom.js";
import { fieldsOf, piecesOf } from "./template.js";
import { percent } from "./words.js";

export class Trial {
  constructor(id) {
    this.id = id;
    this.fields = new Map();
    this.inputs = element("div", {});
    this.answer = element("div", { "aria-live": "polite" });
    this.send = element("button.main", { type: "submit" }, "Ask the model");
    this.form = element(
      "form",
      { hidden: true, onsubmit: (event) => (event.preventDefault(), this.ask()) },
      this.inputs,
      element("div.actions", {}, this.send),
    );
    this.wait = element("p.soft", {}, "This is possible as soon as there is a prompt.");
    this.node = element("div", {}, this.wait, this.form, this.answer);
  }

  /** There is a prompt: one field for each that its template names. */
  offer(prompt) {
    const names = fieldsOf(piecesOf(prompt.template));
    this.wait.hidden = true;
    this.form.hidden = false;
    if (names.join("\n") === [...this.fields.keys()].join("\n")) return;
    this.fields = new Map(
      names.map((name) => [name, element("textarea", { rows: 2, id: freshId("row"), required: true })]),
    );
    show(
      this.inputs,
      [...this.fields].map(([name, area]) => element("div.field", {}, element("label", { for: area.id }, name), area)),
    );
  }

  async ask() {
    const row = Object.fromEntries([...this.fields].map(([name, area]) => [name, area.value]));
    this.send.disabled = true;
    show(this.answer, element("p.soft", {}, "The model is asked; the first time it has to be loaded."));
    try {
      const found = await ask(jobPath(this.id, "predict"), { method: "POST", body: { rows: [row] } });
      this.tell(found.data[0]);
    } catch (error) {
      show(this.answer, element("p.error", {}, error.message));
      announce(error.message, { urgent: true });
    } finally {
      this.send.disabled = false;
    }
  }

  tell({ answer, probabilities }) {
    const told = answer === null ? "The model gave no answer." : element("strong", {}, String(answer));
    const sorted = Object.entries(probabilities).sort(([, one], [, other]) => other - one);
    show(this.answer, element("p.lead", {}, told), sorted.length ? bars(sorted) : null);
  }
}

function bars(pairs) {
  const lines = pairs.map(([label, share]) => {
    const fill = element("i", {});
    fill.style.width = percent(share);
    return [
      element("dt", {}, label),
      element("dd", {}, element("span.share", { "aria-hidden": "true" }, fill), percent(share)),
    ];
  });
  return element("dl.bars", { "aria-label": "How sure the model is" }, lines);
}
