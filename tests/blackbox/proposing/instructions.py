"""Instructions as people and models write them for real tasks, and what small models write in their place."""

GOOD = (
    # of one word or a few
    "Classify.",
    "Sentiment?",
    "Translate to French.",
    "Answer yes or no.",
    "TL;DR",
    "Think step by step.",
    "Reverse the word.",
    "Rate 1-5.",
    "Answer 1, 2, 3, 4 or 5.",
    "Say :) if the review is good, else say :(",
    # classification
    "Classify the question by the type of its answer.",
    "Decide whether the review is positive or negative.",
    "Is the tone of this sentence positive or negative? Answer with one word.",
    "Read the movie review and tell whether its author would recommend the film. Answer positive or negative.",
    "Assign each news article to one of four topics: world, sports, business or technology.",
    "You are an expert in linguistics. Label the question as abbreviation, description, entity, human, location or "
    "number.",
    "Choose the category that the answer to the question falls into. A question that begins with who is about a human; "
    "a question that begins with where is about a location; how many asks for a number.",
    "If it asks for a number, answer number. If it asks for a place, answer location. If it asks for a person, answer "
    "human. If it asks what letters stand for, answer abbreviation. If it asks for a meaning, answer description. If "
    "it asks for a thing, answer entity.",
    "who -> human, where -> location, when -> number, what does X stand for -> abbreviation",
    "- Irony counts as negative.\n- Praise of an actor counts as positive.\n- If in doubt, answer negative.",
    "1. Read the question.\n2. Find out what kind of thing would answer it.\n3. Write that kind, nothing else.",
    "Output 1 if the two sentences mean the same, 0 if they do not.",
    "Score the similarity of the sentences from 0 (nothing in common) to 5 (the same meaning).",
    "Does the premise entail the hypothesis? Answer entailment, neutral or contradiction.",
    "Determine whether the sports sentence is plausible: could this player do this in this kind of game?",
    "If you follow these directions, do you come back to where you began? Keep track of x, y and the heading.",
    # writing
    "Write the antonym of the word.",
    "Write the plural of each noun; leave out everything else.",
    "Give the word that means the opposite of the input.",
    'Put "the" in front of a noun that begins with a vowel, "a" in front of all others.',
    "List all animals that stand in the sentence, separated by commas.",
    "Rewrite the sentence in the passive voice.",
    "Add the two numbers. Write the sum only, without words: 12 and 7 give 19.",
    "Solve the problem and write the number behind ####.",
    "Answer the question with as few words as you can, e.g. Paris, 1984 or Marie Curie (no full sentences).",
    "Extract name, date (as YYYY-MM-DD) and amount in EUR from the invoice. Return JSON with these three keys.",
    "Summarize the text in one sentence of 20 words at most, in the words of a ten-year-old.",
    "Very, very carefully read what the customer writes, then say whether they are angry.",
    "Let's work this out in a step by step way to be sure we have the right answer.",
    "Take a deep breath and work on this problem step by step. It matters a lot to my career.",
    "Pay attention to words that turn a sentence around, such as but, however, hardly and not at all, because what "
    "follows them weighs more than what stands in front of them; a review that praises the pictures and then says that "
    "the story is dull is negative, and one that finds fault with the beginning and then laughs until the end is "
    "positive. Answer positive or negative.",
    "Follow the instruction in the text, and write nothing else.",
    "Below is an instruction that describes a task. Write a response that completes it.",
    "Read the instructions of the game, then say who has won.",
    "The user will give you a sentence; answer with its language.",
    "I want you to act as a librarian and name the shelf where this book belongs.",
    "You are a language model that knows all rivers. Name the one that runs through the city.",
    "Name the model of the car and the year when it was built.",
    "You are a helpful assistant. Answer with the name of the city.",
    # other languages
    "Lies den Text und entscheide, ob er gut oder schlecht ist.",
    "Классифицируй отзыв как положительный или отрицательный.",
    "判断下面这条评论的情感是正面还是负面，只回答一个词。",
    "次の文を読んで、肯定的か否定的かを答えてください。",
)

REPEATED = (
    "the the the the the",
    "no no no",
    "The answer is the answer is the answer is the answer is",
    "Classify the text. Classify the text. Classify the text.",
    "Classify the question as a type. Read it well. Classify the question as a type.",
    "Answer with one word. ANSWER WITH ONE WORD!",
    "Read the question and then read the question and then read the question and then read the question and",
    "Judge it: good good good good good good good good",
    "hahahahahahahahahaha",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "好好好好好好好好好好好好",
    "- Be clear\n- Be clear\n- Be clear\n- Be clear",
    "Type: Type: Type: Type:",
)
POOR = (
    "and",
    "It is the",
    "What?",
    'The text is "The text is in Spanish. The text is in Spanish. The sentence is in Spanish."',
    "The question is the answer to the question, and the answer is the question to the answer, and the question and "
    "the answer is the answer.",
    "a b a c b a c a b c b b a c a a c b",
    "yes no no yes yes no yes no no no yes no",
)
NUMBERS = (
    "1 2 3 4 5",
    "1. 2. 3. 4. 5. 6.",
    "42",
    "0.1, 0.2, 0.5",
    "Number 3 14 15 92 65",
    "Input: 1 2 3\nOutput: 4 5 6 7 8 9 10 11",
)
CUT = (
    "Classify the question by its type and [",
    "Decide whether the review is positive or negative (or",
    'Answer with the word "positive or the other',
    "Write one of the labels [human, location",
    "Judge the text by its tone, its words &",
    "Decide between a person, a place or a thing –",
)
ECHOED = (
    "Mutate these parts.",
    "Mutate these parts. Then answer.",
    "State general rules; do not quote the cases.",
    "A language model was given this instruction: classify the text.",
    "The instruction stands in front of an input with the fields text.",
    "The model answers with one of: positive, negative.",
    "Judge it. The right answer: positive.",
    "Write a better instruction: say the following one in other words.",
    "The final instruction must make sense by itself, and must not contain examples from the data.",
)

TALK = (
    # written by SmolLM2-135M-Instruct
    "The correct way to solve this puzzle is to carefully read the text and choose the right answer. The final "
    "instruction must not mention the steps but must not contain any examples from the data.",
    "This text is structured in a way that ensures clarity and precision. The instructions need to be more detailed to "
    "be understood. Instead of asking for a response with multiple steps, the instructions are to provide a clearer "
    "and more specific answer.",
    'The instruction says: "Write it in another words."',
    "You're a helpful AI assistant named SmolLM, trained on multiple languages, and just as efficient as ever. I'm "
    "ready to assist you.",
    "This version differs from earlier ones, and it should make sense by itself.",
    "You provide only the answer, without an explanation or examples. You can add instructions with your own "
    "explanation.",
    "Please go ahead and modify the instructions into a final one.",
    "This task requires you to generate a detailed and coherent instruction that will help the model understand what "
    "is asked and provide the appropriate answer.",
    "Describe the content using specific terms in the context of the provided instruction.",
    "When an AI-powered language model needs to generate a response based on a question, it usually has a tendency to "
    "try to offer answers that are completely unrelated.",
    'The question is to be answered by the model with the question "What can be achieved?"',
)
