from blackbox.backends import TextPrompt
from blackbox.backends.api.backend import subject


def test_prompts_that_differ_in_their_form_only_are_accounted_for_apart() -> None:
    plain, own = TextPrompt("Say it."), TextPrompt("Say it.", template="{text} So {label}")
    words = TextPrompt("Say it.", label_words=("poor", "fine"))
    assert len({subject(plain), subject(own), subject(words)}) == 3
    assert subject(plain).endswith(" Say it.")
    assert subject(own).endswith(" Say it. {text} So {label}")
