"""Readouts by the values of the setting `verbalizer` that name them."""

from collections.abc import Mapping

from blackbox.verbalizers.class_means import ClassMeans
from blackbox.verbalizers.offsets import Offsets
from blackbox.verbalizers.readout import Readout
from blackbox.verbalizers.ridge import Ridge

READOUTS: Mapping[str, type[Readout]] = {"calibrated": Offsets, "representative": ClassMeans, "ridge": Ridge}


def name_of(readout: Readout) -> str:
    """The name of its kind."""
    return next(name for name, kind in READOUTS.items() if isinstance(readout, kind))
