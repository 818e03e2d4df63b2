"""Where the benchmark data is: not shipped, see `data_folder`."""

import os
from pathlib import Path


class MissingDataError(FileNotFoundError):
    """A benchmark's data, or the device that it needs, is not there."""


def data_folder(task: str) -> Path:
    """The folder of a task: $BLACKBOX_DATA/TASK, or shared/data/TASK beside the checkout.

    It holds `test.jsonl` and `fewshot16/seedS_{train,dev}.jsonl`, the 16-shot splits of LM-BFF
    (https://github.com/princeton-nlp/LM-BFF), with the fields `text`, (`text_pair`) and `label`.

    Raises:
        MissingDataError: the folder is not there.
    """
    root = Path(os.environ.get("BLACKBOX_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (root / task / "test.jsonl").exists():
        raise MissingDataError(f"{root / task}: no test.jsonl there; name the folder of the data sets in BLACKBOX_DATA")
    return root / task
