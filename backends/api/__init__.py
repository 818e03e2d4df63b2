"""Models behind an HTTP endpoint: text in, text and perhaps log-probabilities out; every call costs money."""
