// The best prompt so far: its text, or what its vectors are, and a place to try it.

import { ask, jobPath } from "./api.js";
import { announce, element, show } from "./dom.js";
import { Trial } from "./trial.js";
import { ENDED, brief, counted, inBytes } from "./words.js";

const KINDS = {
  soft: "in front of the text",
  deep: "in the layers of the model",
  prefix: "that every layer looks at",
};

export class PromptCard {
  constructor(job, signal) {
    this.id = job.id;
    this.signal = signal;
    this.title = element("h2", {});
    this.shown = element("div", {});
    this.trial = new Trial(job.id);
    this.node = element(
      "div",
      {},
      element("section", { "aria-label": "Best prompt" }, this.title, this.shown),
      element("section", { "aria-label": "Try it" }, element("h2", {}, "Try it on a text"), this.trial.node),
    );
  }

  async refresh(job, { begun = job.progress.evaluations > 0 } = {}) {
    show(this.title, ENDED.has(job.status) ? "Best prompt" : "Best prompt so far");
    if (!begun) return show(this.shown, element("p.soft", {}, told(job)));
    try {
      const { prompt, files } = await ask(jobPath(this.id, "result"), { signal: this.signal });
      show(this.shown, prompt.kind === "text" ? asText(prompt) : asVectors(prompt, files), scores(prompt));
      this.trial.offer(prompt);
    } catch (error) {
      if (this.signal.aborted) return;
      const waits = error.status === 409;
      show(this.shown, element("p.soft", {}, waits ? told(job) : error.message));
    }
  }
}

function told({ status }) {
  return ["failed", "cancelled"].includes(status)
    ? "None was found."
    : "None yet: it appears with the first generations.";
}

function asText(prompt) {
  const shown = prompt.demonstrations ?? [];
  const whole = prompt.text + shown.map(({ before, answer, after = "" }) => `${before}${answer}${after}\n\n`).join("");
  const told = shown.length ? `An instruction, and ${counted(shown.length, "row")} shown with the right answers. ` : "";
  const where = prompt.role === "system" ? "For the system message of a chat." : "";
  const copy = element("button", { type: "button", onclick: () => copied(whole) }, "Copy");
  return [
    element("pre.prompt-text", { tabindex: "0" }, whole.trimEnd() || "(no text: the rows alone do best)"),
    element("p.soft", {}, told + where),
    element("div.actions", {}, copy),
  ];
}

function asVectors(prompt, files) {
  const layers = prompt.kind === "soft" ? 1 : prompt.layers.length;
  const size = files.filter(({ name }) => name.endsWith(".safetensors")).reduce((sum, { bytes }) => sum + bytes, 0);
  const vectors = counted(prompt.token_ids.length * layers, "vector");
  const where = prompt.kind === "soft" ? KINDS.soft : `${KINDS[prompt.kind]} (${counted(layers, "layer")})`;
  return [
    element("p.lead", {}, `A prompt of ${vectors} ${where}, ${inBytes(size)}, for ${prompt.model}.`),
    element("p.soft", {}, "It cannot be read; download it to use it with blackbox. It stands on this text:"),
    element("pre.prompt-text", { tabindex: "0" }, prompt.text || "(no text)"),
  ];
}

function scores({ scores: found, template }) {
  const dev = found.dev ? `${brief(found.dev)} ${found.dev.metric} on the dev rows; ` : "";
  return element("p.soft.under", {}, `${dev}rows are written `, element("code", {}, template));
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied.");
  } catch {
    announce("The browser does not allow to copy here; mark the text instead.", { urgent: true });
  }
}
