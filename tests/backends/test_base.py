import numpy as np

from blackbox.backends import chosen_options


def test_an_answer_is_chosen_where_no_other_is_as_probable() -> None:
    scores = np.log([[0.6, 0.4], [0.5, 0.5], [0.05, 0.05], [0.35, 0.2], [0.3, 0.3]])
    assert chosen_options(scores).tolist() == [0, 0, -1, -1, -1]
