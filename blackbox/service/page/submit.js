// The form that hands in a job.

import { ApiError, ask, freshKey } from "./api.js";
import { announce, element, show } from "./dom.js";
import { EXAMPLE } from "./example.js";
import { area, field, fieldOf, input, part, setError } from "./fields.js";
import { SearchPart } from "./search_part.js";
import { TaskPart } from "./task_part.js";
import { counted } from "./words.js";

export async function submitView(place, { signal }) {
  place.append(element("h1", {}, "New job"));
  try {
    const [backends, names] = await Promise.all([ask("v1/backends", { signal }), ask("v1/optimizers", { signal })]);
    if (!backends.data.length) throw new Error("The operator has set up no model that a job could ask.");
    const optimizers = names.data.map(({ name }) => name);
    place.append(new SubmitForm(backends.data, { optimizers, spaces: names.spaces }).node);
  } catch (error) {
    if (!signal.aborted) place.append(element("p.error", {}, error.message));
  }
}

class SubmitForm {
  constructor(backends, names) {
    this.task = new TaskPart();
    this.search = new SearchPart(backends, names);
    this.task.onchange = () => this.search.budget(this.task.train.data?.rows.length);
    this.name = input("text", { maxlength: 200 });
    this.metadata = area(2, { placeholder: "team=support" });
    this.told = element("p.error", { role: "alert" });
    this.send = element("button.main", { type: "submit" }, "Start the search");
    this.key = freshKey();
    this.node = element(
      "form",
      {
        novalidate: true,
        onsubmit: (event) => (event.preventDefault(), this.submit()),
        oninput: () => (this.key = freshKey()),
      },
      this.lead(),
      this.task.nodes,
      this.search.nodes,
      this.lastPart(),
    );
  }

  lead() {
    const text =
      "A prompt is what a model reads in front of your text. Give examples with the right answers, and the service looks " +
      "for a prompt with which the model gets them right, by trying many and keeping what works.";
    const fill = element("button", { type: "button", onclick: () => this.fillExample() }, "Fill in a worked example");
    return element("section", {}, element("p", {}, text), element("div.actions", {}, fill));
  }

  lastPart() {
    const fields = [
      field("Name", this.name, { params: ["name"], hint: "What you will find the job by." }),
      field("Tags", this.metadata, {
        params: ["metadata"],
        hint: "Your own key=value pairs, one a line; the list can be filtered by them.",
      }),
    ];
    const lead = "For people, not for the search.";
    return part(
      "5. What it is called",
      lead,
      element("div.columns", {}, fields),
      this.told,
      element("div.actions", {}, this.send),
    );
  }

  async fillExample() {
    const { task, search } = this;
    this.key = freshKey();
    this.name.value = EXAMPLE.name;
    task.kind.value = "label";
    task.template.value = EXAMPLE.template;
    task.prompt.value = EXAMPLE.prompt;
    task.words.set(EXAMPLE.words);
    search.evaluations.value = EXAMPLE.evaluations;
    await Promise.all(["train", "dev", "test"].map((split) => task[split].fill(EXAMPLE.files[split])));
    announce("The example is filled in. Start the search, or change what you like.");
    this.send.focus({ preventScroll: true });
  }

  async submit() {
    this.clear();
    const wrong = this.node.querySelector(":invalid:not(fieldset)");
    if (wrong && !wrong.closest("[hidden]")) return this.refuse(wrong.closest(".field"), wrong.validationMessage);
    if (this.task.fault) return this.refuse(...this.task.fault);
    this.send.disabled = true;
    show(this.send, "Handing in …");
    try {
      const job = await this.handIn();
      announce(`The job is handed in: ${counted(job.budget.evaluations, "evaluation")} at most.`);
      location.hash = `#/jobs/${encodeURIComponent(job.id)}`;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.refuse(error.param && fieldOf(this.node, error.param), error.message);
    } finally {
      this.send.disabled = false;
      show(this.send, "Start the search");
    }
  }

  async handIn() {
    const files = {};
    for (const source of [this.task.train, this.task.dev, this.task.test]) {
      files[source.param] = await this.fileId(source);
    }
    const settings = { ...this.task.values(), ...this.search.values() };
    const body = {
      backend: this.search.backend.value,
      name: this.name.value || null,
      ...files,
      settings,
      metadata: this.labels(),
    };
    return ask("v1/tuning/jobs", { method: "POST", body, headers: { "idempotency-key": this.key } });
  }

  async fileId(source) {
    try {
      return await source.handIn();
    } catch (error) {
      if (error instanceof ApiError) error.param = source.param; // it only says "file"
      throw error;
    }
  }

  labels() {
    const pairs = this.metadata.value
      .split("\n")
      .filter((line) => line.trim())
      .map((line) => line.split("="));
    return Object.fromEntries(pairs.map(([key, ...value]) => [key.trim(), value.join("=").trim()]));
  }

  clear() {
    this.node.querySelectorAll("[data-params]").forEach((node) => setError(node, ""));
    show(this.told, "");
    this.task.refresh();
  }

  /** Say what is wrong beside the field it is about, or at the end of the form. */
  refuse(node, message) {
    const text = `${message[0].toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`;
    if (!node) return show(this.told, text);
    setError(node, text);
    announce(text, { urgent: true });
    node.querySelector("input, select, textarea")?.focus();
  }
}
