"""Settings by name: the published ones, and our own recipe. What is set beside a preset replaces its value."""

from blackbox.errors import SettingError, unknown_name

_PUBLISHED: dict[str, object] = {
    "dimension": 500,
    "population": 20,
    "prompt_tokens": 50,
    "alpha": 0.2,
    "sigma": 1.0,  # the released 0.2 cancels: its projection is divided by it
    "covariance": "full",
    "step_size": "csa",
    "loss": "cross-entropy",
    "evaluations": 8000,
    "single_token_labels": True,
}

PRESETS: dict[str, dict[str, object]] = {
    # Sun et al. 2022, arXiv 2201.03514: the input layer, uniform projection
    "bbt": {**_PUBLISHED, "space": "soft", "optimizer": "cma-es", "projection": "uniform"},
    # Sun et al. 2022, arXiv 2205.11200: every layer in turn, Gaussian projections
    "bbtv2": {
        **_PUBLISHED,
        "space": "deep",
        "layers": "all",
        "optimizer": "blockwise:cma-es",
        "projection": "gaussian",
    },
    # Ours; `python -m benchmarks few-shot` measures it. All layers at once: a step in n layers gains about sqrt(n)
    # times what a step in one gains while the loss is nearly linear, and small steps (alpha) in many dimensions keep to
    # that. The mean of the distribution does on other rows as it does on these, which the best sample does not. Hidden
    # states tell many labels better than their words do.
    "best": {
        "space": "deep",
        "layers": "upper-half",
        "dimension": 300,
        "alpha": 0.3,
        "optimizer": "cma-es",
        "covariance": "diagonal",
        "projection": "hadamard",
        "select": "mean",
        "readout": "ridge",
    },
}


def preset(name: object) -> dict[str, object]:
    """The settings of a preset.

    Raises:
        SettingError: what is given is no name.
        UnknownNameError: there is no preset of this name.
    """
    if not isinstance(name, str):
        raise SettingError(f"setting 'preset': must be a name, got {name!r}; known: {', '.join(sorted(PRESETS))}")
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]
