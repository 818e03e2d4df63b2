import pytest

from blackbox.backends import Capability, FakeBackend, Query, QueryError, TextPrompt, UnsupportedPromptError, require


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
        "those need 'fake' or 'local or remote with a model that is not a masked one' or 'vllm'"
    )


def test_queries_with_several_options_need_no_likelihoods_of_targets() -> None:
    LabelsOnly().score([TextPrompt("Say it.")], [Query("One and one is ", ("two", "three"))])


def test_a_backend_that_lacks_what_is_needed_is_refused_with_those_that_have_it() -> None:
    require(FakeBackend(), Capability.TARGETS, Capability.LABEL_SCORES)
    with pytest.raises(
        UnsupportedPromptError, match="'labels-only' has no likelihoods of whole targets; those need 'fa"
    ):
        require(LabelsOnly(), Capability.LABEL_SCORES, Capability.TARGETS)
