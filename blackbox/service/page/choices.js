// What can be searched and how, in plain words. Names that are not here, of other packages, are shown as they are.

const READS_VECTORS = new Set(["local", "fake", "remote"]);

export const SPACES = {
  deep: {
    label: "vectors inside the model",
    words:
      "Finds numbers that steer the model from inside, in many of its layers. The strongest here, for this model only.",
    vectors: true,
  },
  prefix: {
    label: "vectors that every layer looks at",
    words: "Finds numbers that every layer of the model looks at before the text. For this model only.",
    vectors: true,
  },
  soft: {
    label: "vectors in front of the text",
    words: "Finds numbers that stand in front of the text, where words would. For this model only.",
    vectors: true,
  },
  choices: {
    label: "a text, put together",
    words: "Puts a readable prompt together from instructions, examples and wordings. It can be copied to any model.",
    choices: true,
  },
  texts: {
    label: "the best of my own prompts",
    words: "Compares the prompts that you write, and gives each no more rows than it takes to tell.",
    choices: true,
  },
  "projected-instruction": {
    label: "an instruction that a small model writes",
    words: "Steers a small model on the operator's machine to write instructions, and keeps the one that works best.",
  },
};

const OPTIMIZERS = {
  "blockwise:cma-es": ["CMA-ES, one layer after the other", "numbers"],
  "cma-es": ["CMA-ES, all numbers at once", "numbers"],
  "islands:cma-es": ["CMA-ES, several side by side, with restarts", "numbers"],
  "random-search": ["random tries, to compare with", "both"],
  categorical: ["learns which choices go well together", "choices"],
  enumerate: ["tries all there are", "choices"],
  evolution: ["a model crosses and changes instructions", "choices"],
  reflective: ["a model learns from rows that went wrong", "choices"],
};
const HIDDEN = new Set(["blockwise", "islands", "nevergrad"]); // need a name behind them

export function spacesFor(kind, names) {
  const vectors = READS_VECTORS.has(kind);
  const fitting = names.filter((name) => vectors || !SPACES[name]?.vectors);
  const order = Object.keys(SPACES);
  fitting.sort((one, other) => place(order, one) - place(order, other));
  return fitting.map((name) => [name, SPACES[name]?.label ?? name]);
}

/** Optimizers of a space; the first one, "", is what the space has by itself. */
export function optimizersFor(space, names) {
  const wanted = SPACES[space]?.choices ? "choices" : "numbers";
  const known = Object.entries(OPTIMIZERS).filter(([name]) => names.includes(name.split(":")[0]));
  const fitting = known.filter(([, [, kind]]) => kind === "both" || kind === wanted);
  const strange = names.filter((name) => !HIDDEN.has(name) && !(name in OPTIMIZERS));
  return [
    ["", "the one that is usual for it"],
    ...fitting.map(([name, [words]]) => [name, `${name}: ${words}`]),
    ...strange.map((name) => [name, name]),
  ];
}

function place(order, name) {
  return order.includes(name) ? order.indexOf(name) : order.length;
}
