// The labels that were found in the rows, with the word that the model shall say for each.

import { element, freshId, show } from "./dom.js";
import { setError } from "./fields.js";
import { valuesOf } from "./rows.js";
import { count, counted } from "./words.js";

const MOST = 50; // labels; a field with more values holds no labels

export class LabelWords {
  constructor(changed) {
    this.changed = changed;
    this.words = new Map(); // label -> word, those typed before other rows came too
    this.labels = [];
    this.tooMany = "";
    this.list = element("div.words", {});
    this.node = element(
      "fieldset.field",
      { "data-params": "settings.label_words settings.words" },
      element("legend", {}, "The word for each label"),
      element("p.hint", {}, "The model says one of these words where {label} stands. Short, common words work best."),
      this.list,
      element("p.error", {}),
    );
  }

  /** Look for labels in a field of the rows. */
  find(rows, name) {
    const values = valuesOf(rows, name);
    this.labels = values.size <= MOST ? [...values.keys()].sort() : [];
    for (const label of this.labels) if (!this.words.has(label)) this.words.set(label, label);
    show(
      this.list,
      this.labels.map((label) => this.line(label, values.get(label))),
    );
    this.tooMany =
      values.size > MOST
        ? `The field ${name} has ${count(values.size)} values: is it a text of its own rather than a label?`
        : "";
    setError(this.node, this.problem);
  }

  /** Words that were thought of before. */
  set(words) {
    Object.entries(words).forEach(([label, word]) => this.words.set(label, word));
  }

  line(label, rows) {
    const id = freshId("word");
    const word = element("input", {
      id,
      value: this.words.get(label),
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => {
        this.words.set(label, word.value);
        setError(this.node, this.problem);
        this.changed();
      },
    });
    return [element("label", { for: id }, label, element("small", {}, ` ${counted(rows, "row")}`)), word];
  }

  /** What is wrong with the labels or their words; "" where nothing is. */
  get problem() {
    if (this.tooMany) return this.tooMany;
    if (this.labels.length < 2) return "Two labels are needed at least; these rows have one.";
    const words = this.labels.map((label) => this.words.get(label));
    if (words.some((word) => !word.trim())) return "Every label needs a word.";
    return new Set(words).size < words.length ? "Every label needs a word of its own." : "";
  }

  values() {
    return Object.fromEntries(this.labels.map((label) => [label, this.words.get(label)]));
  }
}
