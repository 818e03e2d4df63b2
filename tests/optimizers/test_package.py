import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

import blackbox.optimizers as package
from blackbox.optimizers import errors
from blackbox.optimizers.blas import one_blas_thread

HEAVY = ["cma", "nevergrad", "torch", "scipy", "matplotlib", "pandas", "sklearn"]


def test_importing_the_package_imports_no_heavy_one() -> None:
    code = f"import sys, blackbox.optimizers; print([name for name in {HEAVY} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_all_is_sorted_and_complete() -> None:
    assert package.__all__ == sorted(package.__all__, key=lambda name: (not name.isupper(), name))
    public = {
        name for name, value in vars(package).items() if not name.startswith("_") and not hasattr(value, "__path__")
    }
    modules = {name.rsplit(".", 1)[1] for name in sys.modules if name.startswith("blackbox.optimizers.")}
    assert set(package.__all__) == public - modules


@pytest.mark.parametrize("name", [name for name in vars(errors) if name.endswith("Error") and name != "OptimizerError"])
def test_every_error_is_under_the_root_has_a_builtin_base_and_stands_in_the_drawing(name: str) -> None:
    error = getattr(errors, name)
    assert issubclass(error, errors.OptimizerError)
    assert issubclass(error, (ValueError, RuntimeError, ImportError))
    assert f"+-- {name}" in (errors.__doc__ or "")
    assert name in package.__all__


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_blas_has_one_thread_inside_and_as_many_as_before_outside() -> None:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        with one_blas_thread():
            assert blas_threads() == {1}
            with one_blas_thread():
                assert blas_threads() == {1}
            assert blas_threads() == {1}
        assert blas_threads() == before


def test_searches_in_several_threads_leave_blas_as_it_was() -> None:
    from threadpoolctl import threadpool_limits

    barrier = Barrier(4)

    def work(seed: int) -> float:
        optimizer = package.CMAES(60, seed=seed)
        barrier.wait()
        for _ in range(10):
            candidates = optimizer.ask()
            optimizer.tell(candidates, (candidates**2).sum(axis=1))
        return float(optimizer.ask().sum())

    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        with ThreadPoolExecutor(4) as pool:
            sums = list(pool.map(work, [1, 1, 1, 1]))
        assert blas_threads() == before
    assert len(set(np.array(sums))) == 1
