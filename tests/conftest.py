import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small models: two threads only wait for each other on a busy machine

pytest.register_assert_rewrite("tests.backends.contract", "tests.optimizers.contract")
