"""Which layers of a model a deep prompt changes."""

from blackbox.errors import SettingError


def parse_layers(text: str, n_layers: int) -> tuple[int, ...]:
    """Layer numbers from "all", "upper-half", a range "15-29" (both ends included) or a list "0,4,8".

    Raises:
        SettingError: another form, a layer that the model has not, or one named twice.
    """
    if text in ("all", "upper-half"):
        return tuple(range(n_layers // 2 if text == "upper-half" else 0, n_layers))
    layers: list[int] = []
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise SettingError(f"layers must be all, upper-half, a range such as 15-29 or a list 0,4,8, got {text!r}")
        layers.extend(range(int(first), int(last or first) + 1))
    wrong = [layer for layer in layers if layer >= n_layers]
    if wrong:
        raise SettingError(f"layers {text!r} names layer {wrong[0]}; the model has layers 0 to {n_layers - 1}")
    if not layers or len(set(layers)) < len(layers):
        raise SettingError(f"layers must name at least one layer and none twice, got {text!r}")
    return tuple(sorted(layers))
