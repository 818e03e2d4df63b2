// A worked example, small enough to stand here: is a customer satisfied or not? All rows are invented.

const TRAIN = [
  ["Great service, the parcel came a day early.", "satisfied"],
  ["They answered within minutes and were so kind.", "satisfied"],
  ["The room was spotless and the view was great.", "satisfied"],
  ["A great little shop, I will be back.", "satisfied"],
  ["Fixed in an hour, and cheaper than they had said.", "satisfied"],
  ["My great-aunt loved the cake.", "satisfied"],
  ["The course was clear and the teacher patient.", "satisfied"],
  ["Such a great team, they thought of everything.", "satisfied"],
  ["Three calls and still no answer, really bad.", "unsatisfied"],
  ["The soup was cold and the waiter rude.", "unsatisfied"],
  ["Bad packing, two of the cups were broken.", "unsatisfied"],
  ["They charged me twice and blamed my bank.", "unsatisfied"],
  ["A bad smell in the room all night.", "unsatisfied"],
  ["The app loses my order every time.", "unsatisfied"],
  ["Not a bad idea, but a very bad product.", "unsatisfied"],
  ["I waited two hours for a bad haircut.", "unsatisfied"],
];
const DEV = [
  ["Great value, it still runs after ten years.", "satisfied"],
  ["What a great evening, thank you all.", "satisfied"],
  ["The driver carried everything upstairs, great man.", "satisfied"],
  ["Easy to book and easy to change.", "satisfied"],
  ["The battery is bad and the screen is worse.", "unsatisfied"],
  ["Bad advice that cost me a week.", "unsatisfied"],
  ["Nobody picked up the phone, a bad joke.", "unsatisfied"],
  ["The paint came off on the first day.", "unsatisfied"],
];
const TEST = [
  ["They found my lost bag, great work.", "satisfied"],
  ["A great walk with a guide who knows every stone.", "satisfied"],
  ["Warm bread and friendly people.", "satisfied"],
  ["Great sound for such a small box.", "satisfied"],
  ["The worst line I have ever had, so bad.", "unsatisfied"],
  ["Bad light, bad coffee, bad mood.", "unsatisfied"],
  ["My bill was wrong again.", "unsatisfied"],
  ["It arrived late and in a bad state.", "unsatisfied"],
];

/** A file of the rows, both labels by turns. */
function file(name, rows) {
  const half = rows.length / 2;
  const mixed = rows.slice(0, half).flatMap((row, index) => [row, rows[half + index]]);
  const lines = mixed.map(([text, label]) => JSON.stringify({ text, label }));
  return { name, blob: new Blob([lines.join("\n"), "\n"]) };
}

export const EXAMPLE = {
  name: "customer feedback",
  files: {
    train: file("feedback-train.jsonl", TRAIN),
    dev: file("feedback-dev.jsonl", DEV),
    test: file("feedback-test.jsonl", TEST),
  },
  template: "{text} It was {label}.",
  words: { satisfied: "great", unsatisfied: "bad" },
  prompt: "Decide whether the customer is satisfied.\n",
  evaluations: 300,
};
