from blackbox.proposing.bounded import Given, bounded, shortened


def test_what_fits_stays_as_it_is() -> None:
    assert bounded(["a: ", Given("one"), ", b: ", Given("two")], 100) == "a: one, b: two"


def test_the_longest_are_shortened_to_the_room_that_the_others_leave() -> None:
    text = bounded(["<", Given("x" * 50), "|", Given("short"), "|", Given("y" * 30), ">"], 40)
    assert len(text) <= 40
    assert text == f"<{'x' * 14}…|short|{'y' * 14}…>"


def test_a_shortened_text_is_not_longer_than_asked_and_keeps_its_beginning() -> None:
    for most in range(1, 12):
        text = shortened("one two three", most)
        assert len(text) <= most
        assert text.endswith("…")
        assert "one two three".startswith(text[:-1])


def test_the_fixed_parts_are_never_shortened() -> None:
    assert bounded(["fixed ", Given("x" * 9), " parts"], 3) == "fixed … parts"
