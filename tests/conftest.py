import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small models: two threads only wait for each other on a busy machine
for _size in ("COLUMNS", "LINES"):
    os.environ.pop(_size, None)  # Rich would keep them as the size of its console whatever a test sets

pytest.register_assert_rewrite("tests.backends.contract", "tests.optimizers.contract")
