// The form's other parts: which model, what is searched and how, and what it may cost.

import { SPACES, optimizersFor, spacesFor } from "./choices.js";
import { element, show } from "./dom.js";
import { area, field, input, part, select, setChoices, setHint } from "./fields.js";
import { count, counted, inUsd } from "./words.js";

const LOCAL = new Set(["local", "fake", "remote"]);

export class SearchPart {
  constructor(backends, { optimizers, spaces }) {
    this.backends = new Map(backends.map((backend) => [backend.name, backend]));
    this.names = { optimizers, spaces };
    const changed = () => this.changed();
    this.backend = select(
      backends.map(({ name, description }) => [name, description ? `${name}: ${description}` : name]),
      { onchange: changed },
    );
    this.space = select([], { onchange: changed });
    this.optimizer = select([]);
    this.texts = area(4, { oninput: () => this.budget() });
    this.evaluations = input("number", { min: 1, value: 300, required: true, oninput: () => this.budget() });
    this.minutes = input("number", { min: 0.1, step: "any", placeholder: "no limit" });
    this.usd = input("number", { min: 0.0001, step: "any", placeholder: "no limit" });
    this.shots = input("number", { min: 1, placeholder: "all rows" });
    this.seed = input("number", { min: 0, value: 0 });
    this.told = element("p.told", {});
    this.nodes = [this.searchPart(), this.budgetPart()];
    this.changed();
  }

  searchPart() {
    this.textsField = field("Prompts, one a line", this.texts, {
      params: ["settings.prompts", "settings.instructions"],
    });
    return part(
      "3. The model and the search",
      "Who answers, and what may be changed about the prompt.",
      element(
        "div.columns",
        {},
        field("Model", this.backend, { params: ["backend"], hint: "." }),
        field("What is searched", this.space, { params: ["settings.space"], hint: "." }),
        field("How", this.optimizer, {
          params: ["settings.optimizer"],
          hint: "None of them looks inside the model: they try prompts and compare how these do.",
        }),
      ),
      this.textsField,
    );
  }

  budgetPart() {
    this.usdField = field("USD at most", this.usd, {
      params: ["settings.max_usd"],
      hint: "The search stops before it would cost more.",
    });
    return part(
      "4. The budget",
      "The search ends when the first of these is used up, and keeps the best prompt until then.",
      element(
        "div.columns",
        {},
        field("Evaluations", this.evaluations, {
          params: ["settings.evaluations"],
          hint: "How many times a prompt is tried on the rows.",
        }),
        field("Minutes at most", this.minutes, {
          params: ["settings.seconds"],
          hint: "Time that passes, pauses left out.",
        }),
        this.usdField,
        field("Rows of each label", this.shots, {
          params: ["settings.shots"],
          hint: "Learn from a sample; the rows to choose by are then sampled as well, if there is no file of them.",
        }),
        field("Seed", this.seed, { params: ["settings.seed"], hint: "The same seed gives the same search." }),
      ),
      this.told,
    );
  }

  changed() {
    const backend = this.backends.get(this.backend.value);
    if (!backend) return;
    setChoices(this.space, spacesFor(backend.kind, this.names.spaces));
    setChoices(this.optimizer, optimizersFor(this.space.value, this.names.optimizers));
    this.usdField.hidden = LOCAL.has(backend.kind);
    this.usd.placeholder = backend.limits.max_usd ? `${backend.limits.max_usd}: the operator's limit` : "no limit";
    queueMicrotask(() => this.hints(backend)); // hints are found once they stand in the document
    this.budget();
  }

  hints(backend) {
    setHint(this.backend, aboutModel(backend));
    setHint(this.space, SPACES[this.space.value]?.words ?? "");
    const own = this.space.value === "texts";
    this.textsField.hidden = !SPACES[this.space.value]?.choices;
    this.textsField.querySelector("label").textContent = own
      ? "Prompts to compare, one a line"
      : "Instructions to choose from, one a line";
    this.texts.required = own;
    setHint(this.texts, own ? "The first one is the start." : "Not needed: without any, a few general ones are tried.");
  }

  /** What the budget means for so many rows. */
  budget(rows = this.rows) {
    this.rows = rows;
    const [evaluations, shots] = [Number(this.evaluations.value), Number(this.shots.value)];
    const asked =
      rows && shots ? `a sample of ${counted(shots, "row")} of each label` : `all ${counted(rows ?? 0, "row")}`;
    const total = rows && !shots ? `: about ${counted(evaluations * rows, "question")} to the model` : "";
    const price = this.backends.get(this.backend.value)?.usd_per_million_prompt_tokens;
    const paid = price ? ` A million tokens that the model reads cost ${inUsd(price)}.` : "";
    show(
      this.told,
      evaluations && rows ? `Up to ${counted(evaluations, "prompt")}, each tried on ${asked}${total}.${paid}` : "",
    );
  }

  /** The settings of the search. */
  values() {
    const lines = this.textsField.hidden ? [] : this.texts.value.split("\n").filter((line) => line.trim());
    const own = this.space.value === "texts"; // these are whole, and a row follows at once
    const texts = lines.length
      ? { [own ? "prompts" : "instructions"]: own ? lines.map((line) => `${line}\n`) : lines }
      : {};
    const seconds = this.minutes.value ? { seconds: 60 * Number(this.minutes.value) } : {};
    return {
      space: this.space.value,
      ...(this.optimizer.value ? { optimizer: this.optimizer.value } : {}),
      ...texts,
      evaluations: Number(this.evaluations.value),
      seed: Number(this.seed.value),
      ...seconds,
      ...(this.usd.value && !this.usdField.hidden ? { max_usd: Number(this.usd.value) } : {}),
      ...(this.shots.value ? { shots: Number(this.shots.value) } : {}),
    };
  }
}

function aboutModel({ name, kind, model, limits }) {
  const shown = model === name ? "It" : model;
  const where = LOCAL.has(kind)
    ? `${shown} runs where the service does, and costs no money.`
    : `${shown} is asked over the network.`;
  const most = Object.entries(limits).map(
    ([limit, value]) => `${count(value)} ${limit.replace("max_", "").replaceAll("_", " ").replace("usd", "USD")}`,
  );
  return most.length ? `${where} A job may use ${most.join(", ")}.` : where;
}
