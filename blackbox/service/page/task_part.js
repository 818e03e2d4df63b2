// The form's first two parts: the rows, and how each becomes a question.

import { element, show } from "./dom.js";
import { area, field, input, part, select, setChoices, setError } from "./fields.js";
import { FileField } from "./file_field.js";
import { LabelWords } from "./label_words.js";
import { preview } from "./preview.js";
import { asText, valuesOf } from "./rows.js";
import { fieldsBehindLabel, missingFields, piecesOf } from "./template.js";

const METRICS = [
  ["none", "how likely the model finds the right text"],
  ["exact-match", "the text is the right one, word for word"],
  ["contains", "the right text stands in it"],
  ["token-f1", "how many words it shares with the right text"],
  ["numeric-match", "its last number is the right one"],
];

export class TaskPart {
  constructor() {
    const changed = () => this.rowsChanged();
    this.train = new FileField("Rows to learn from", {
      param: "training_file",
      required: true,
      changed,
      hint: "A CSV or JSONL file: one example a line, each with a text and the right answer. 16 rows of each label are enough.",
    });
    this.dev = new FileField("Rows to choose by", {
      param: "dev_file",
      changed: () => this.refresh(),
      hint: "Not needed, but better: the prompt is chosen by how it does on these, which the search does not learn from.",
    });
    this.test = new FileField("Rows to report on", {
      param: "test_file",
      changed: () => this.refresh(),
      hint: "Not needed: asked at the start and at the end only, so that you see what was gained.",
    });
    this.kind = select(
      [
        ["label", "one of a few labels"],
        ["target", "a text of its own"],
      ],
      { onchange: changed },
    );
    this.answer = select([["label", "label"]], { onchange: changed });
    this.words = new LabelWords(() => this.refresh());
    this.metric = select(METRICS);
    this.tokens = input("number", { min: 1, value: 16 });
    this.template = area(2, { required: true, oninput: () => this.refresh() });
    this.template.value = "{text} It was {label}.";
    this.prompt = area(2, { oninput: () => this.refresh() });
    this.warning = element("p.soft", {});
    this.shown = element("div.preview", { "aria-live": "off" });
    this.nodes = [this.filesPart(), this.questionPart()];
    this.rowsChanged();
  }

  filesPart() {
    const lead = "Examples of what the model shall do, with the right answers.";
    return part("1. The rows", lead, element("div.columns", {}, this.train.node, this.dev.node, this.test.node));
  }

  questionPart() {
    this.templateField = field("Template", this.template, {
      params: ["settings.template"],
      hint: "How a row becomes a text: {names} in braces are fields of the row, and {label} stands where the answer goes.",
    });
    this.written = element(
      "div.columns",
      {},
      field("What counts as right", this.metric, {
        params: ["settings.metric"],
        hint: "What a written answer is judged by.",
      }),
      field("Longest answer", this.tokens, {
        params: ["settings.answer_tokens"],
        hint: "Tokens, each about three quarters of a word.",
      }),
    );
    this.promptField = field("Prompt to start from", this.prompt, {
      params: ["settings.prompt"],
      hint: "What the model reads in front of every row, such as an instruction. The row follows at once: end with a new line.",
    });
    const lead = "What the model reads, and what it may answer.";
    return part(
      "2. The question",
      lead,
      element(
        "div.columns",
        {},
        field("The answer is", this.kind, { hint: "Labels are chosen among; texts are written." }),
        field("It stands in the field", this.answer, {
          params: ["settings.label_field", "settings.target_field"],
          hint: "The field of a row that holds the right answer.",
        }),
      ),
      this.words.node,
      this.written,
      this.promptField,
      this.templateField,
      this.warning,
      element("h3", {}, "So the model reads"),
      this.shown,
    );
  }

  rowsChanged() {
    const data = this.train.data;
    if (data)
      setChoices(
        this.answer,
        data.fields.map((name) => [name, name]),
      );
    if (data && this.seen !== data) this.answer.value = likelyAnswer(data, this.answer.value);
    this.seen = data;
    const labels = this.kind.value === "label";
    this.words.node.hidden = !labels || !data;
    this.written.hidden = labels;
    if (data && labels) this.words.find(data.rows, this.answer.value);
    this.refresh();
  }

  refresh() {
    let pieces = null;
    this.problem = "";
    try {
      pieces = piecesOf(this.template.value);
      this.problem = this.missing(pieces);
    } catch (error) {
      this.problem = `${error.message[0].toUpperCase()}${error.message.slice(1)}.`;
    }
    setError(this.templateField, this.problem);
    show(this.warning, pieces ? unseen(pieces) : "");
    show(
      this.shown,
      preview(pieces, this.train.data?.rows ?? [], { prompt: this.prompt.value, answer: (row) => this.answerOf(row) }),
    );
    this.onchange?.();
  }

  missing(pieces) {
    for (const { data, param } of [this.train, this.dev, this.test]) {
      for (const [name, place] of data ? missingFields(pieces, data.rows) : []) {
        return `Row ${place} of ${param.replace("_", " ")} has no field ${name}; its fields are ${Object.keys(data.rows[place - 1]).join(", ")}.`;
      }
    }
    return "";
  }

  answerOf(row) {
    const value = row[this.answer.value];
    if (this.kind.value === "label") return this.words.values()[asText(value)];
    return Array.isArray(value) ? value[0] : value;
  }

  /** Why the form cannot be handed in: the field and what is wrong with it; null where nothing is. */
  get fault() {
    if (!this.train.data) return [this.train.node, "Choose a file with rows."];
    const words = this.kind.value === "label" ? this.words.problem : "";
    if (words) return [this.words.node, words];
    return this.problem ? [this.templateField, this.problem] : null;
  }

  /** The settings of the task. */
  values() {
    const common = { template: this.template.value, ...(this.prompt.value ? { prompt: this.prompt.value } : {}) };
    if (this.kind.value === "label")
      return { ...common, label_words: this.words.values(), label_field: this.answer.value };
    const metric =
      this.metric.value === "none" ? {} : { metric: this.metric.value, answer_tokens: Number(this.tokens.value) };
    return { ...common, target_field: this.answer.value, ...metric };
  }
}

function unseen(pieces) {
  const behind = fieldsBehindLabel(pieces);
  return behind.length
    ? `Models that read left to right do not see ${behind.join(", ")} behind {label}: put {label} last.`
    : "";
}

/** The field that holds the answers: one that is called so, else the one with the fewest values. */
function likelyAnswer({ fields, rows }, chosen) {
  const named = ["label", "answer", "target"].find((name) => fields.includes(name));
  if (named) return named;
  const counts = fields.map((name) => [valuesOf(rows, name).size, name]).filter(([size]) => size > 1);
  return counts.sort(([one], [other]) => one - other)[0]?.[1] ?? chosen;
}
