"""How the model's answers become labels where the given words shall not: words that are found, or readouts."""
