import numpy as np
import pytest

from blackbox.backends import (
    Capability,
    FakeBackend,
    Query,
    QueryError,
    TextPrompt,
    UnsupportedPromptError,
    chosen_options,
    require,
)


class LabelsOnly(FakeBackend):
    """Knows nothing of targets."""

    name = "labels-only"

    @property
    def capabilities(self) -> frozenset[Capability]:
        return super().capabilities - {Capability.TARGETS}


def test_queries_with_one_option_are_refused_by_a_backend_that_cannot_tell_their_likelihood() -> None:
    with pytest.raises(QueryError) as refused:
        LabelsOnly().score([TextPrompt("Say it.")], [Query("One and one is ", ("two",))])
    assert str(refused.value) == (
        "a query with one option asks for its likelihood: backend 'labels-only' has no likelihoods of whole targets; "
        "those need 'fake' or 'local or remote with a model that is not a masked one'"
    )


def test_queries_with_several_options_need_no_likelihoods_of_targets() -> None:
    LabelsOnly().score([TextPrompt("Say it.")], [Query("One and one is ", ("two", "three"))])


def test_a_backend_that_lacks_what_is_needed_is_refused_with_those_that_have_it() -> None:
    require(FakeBackend(), Capability.TARGETS, Capability.LABEL_SCORES)
    with pytest.raises(
        UnsupportedPromptError, match="'labels-only' has no likelihoods of whole targets; those need 'fa"
    ):
        require(LabelsOnly(), Capability.LABEL_SCORES, Capability.TARGETS)


def test_an_answer_is_chosen_where_no_other_is_as_probable() -> None:
    scores = np.log([[0.6, 0.4], [0.5, 0.5], [0.05, 0.05], [0.35, 0.2], [0.3, 0.3]])
    assert chosen_options(scores).tolist() == [0, 0, -1, -1, -1]
