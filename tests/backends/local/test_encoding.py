"""Queries as tokens: what stands around a text, options in their blank, trees, masks and blanks."""

import pytest

from blackbox.backends import BackendSettingError, LabelWordError, Query, QueryError
from blackbox.backends.local.encoding import (
    CausalEncoder,
    EncoderDecoderEncoder,
    MaskedEncoder,
    QueryEncoder,
    option_tree,
)
from blackbox.backends.local.reading import longest_sequence, query_encoder
from blackbox.backends.local.sequences import Target, TokenSequence
from tests.backends.local.conftest import Load
from tests.backends.local.tokenizers import word_tokenizer

SETTINGS = {"single_token_labels": False, "max_tokens": 20}
PLAIN, BERT, T5 = word_tokenizer("plain"), word_tokenizer("bert"), word_tokenizer("t5")


def ids(tokens: str, tokenizer: object = PLAIN) -> tuple[int, ...]:
    return tuple(tokenizer.convert_tokens_to_ids(tokens.split()))  # type: ignore[attr-defined]


def encoded(encoder: QueryEncoder, *queries: Query) -> list[TokenSequence]:
    return encoder.sequences(queries)


class TestSpecialTokens:
    @pytest.mark.parametrize(
        ("style", "prefix", "suffix"),
        [("plain", (), ()), ("begin", (1,), ()), ("bert", (2,), (3,)), ("roberta", (0,), (2,)), ("t5", (), (1,))],
    )
    def test_what_stands_around_a_text_is_what_the_tokenizer_puts_there(
        self, style: str, prefix: tuple[int, ...], suffix: tuple[int, ...]
    ) -> None:
        encoder = MaskedEncoder(word_tokenizer(style), **SETTINGS)
        assert (encoder.prefix, encoder._suffix) == (prefix, suffix)

    def test_a_text_is_encoded_without_them(self) -> None:
        assert CausalEncoder(BERT, **SETTINGS).encode_text("it was") == ids("it was", BERT)


class TestTrees:
    def test_options_of_one_token_are_told_by_the_end_of_the_trunk(self) -> None:
        assert option_tree((1, 2), [(7,), (8,)]) == ((1, 2), (0, 0), (Target(0, 1, 7), Target(1, 1, 8)), ())

    def test_longer_options_are_branches_without_their_last_token(self) -> None:
        found, branches, targets, stems = option_tree((1, 2), [(7, 8, 9), (5,), (4, 6)])
        assert found == (1, 2, 7, 8, 4)
        assert branches == (0, 0, 1, 1, 2)
        assert stems == (0, 0)
        assert targets == (
            *(Target(0, 1, 7), Target(0, 2, 8), Target(0, 3, 9)),
            Target(1, 1, 5),
            *(Target(2, 1, 4), Target(2, 4, 6)),
        )

    def test_what_options_begin_with_is_read_once_and_they_part_where_they_differ(self) -> None:
        tree = option_tree((1, 2), [(7, 8, 9, 3), (7, 6), (7, 5, 4), (7, 8, 2)])
        assert tree.ids == (1, 2, 7, 8, 9, 5)
        assert tree.branches == (0, 0, 1, 2, 2, 3)  # behind 7 two branches begin: 8 9 and 5
        assert tree.stems == (0, 1, 1)
        assert {target for target in tree.targets if target.option == 3} == {
            *(Target(3, 1, 7), Target(3, 2, 8), Target(3, 3, 2))
        }


class TestLeftToRight:
    encoder = CausalEncoder(PLAIN, **SETTINGS)

    def test_a_row_is_the_text_in_front_and_a_branch_for_each_longer_option(self) -> None:
        (one,) = encoded(self.encoder, Query("it was ", ("great fun", "bad"), " and long"))
        great, fun, bad = ids("great fun bad")
        assert one.ids == (*ids("it was"), great)
        assert one.branches == (0, 0, 1)
        assert one.targets == (Target(0, 1, great), Target(0, 2, fun), Target(1, 1, bad))

    def test_a_target_of_one_option_is_the_same(self) -> None:
        (one,) = encoded(self.encoder, Query("it was ", ("great fun",)))
        assert one.ids == ids("it was great")
        assert [target.token for target in one.targets] == list(ids("great fun"))

    def test_without_a_blank_an_option_goes_on_with_the_word_in_front(self) -> None:
        (one,) = encoded(self.encoder, Query("fun", ("ny", "ded")))
        n, y, d, e = ids("##n ##y ##d ##e")
        assert one.ids == (*ids("fun"), n, d, e)
        assert [target.token for target in one.targets] == [n, y, d, e, d]

    def test_an_option_that_would_change_the_tokens_in_front_is_a_word_of_its_own(self) -> None:
        (one,) = encoded(self.encoder, Query("fu", ("n", "nny")))
        assert one.ids[:2] == ids("f ##u")
        assert [target.token for target in one.targets] == [*ids("n"), *ids("n ##n ##y")]

    def test_queries_keep_their_numbers(self) -> None:
        queries = [Query(f"{word} was ", ("great", "bad")) for word in ("it", "film", "life")]
        assert [one.query for one in encoded(self.encoder, *queries)] == [0, 1, 2]

    def test_a_row_without_text_is_named(self) -> None:
        with pytest.raises(QueryError, match="row 2 of this call has no text in front of its label"):
            encoded(self.encoder, Query("it ", ("great", "bad")), Query(" ", ("great", "bad"), "after it"))

    def test_an_option_without_a_token_is_named(self) -> None:
        with pytest.raises(LabelWordError, match="label word '' has no token"):
            encoded(self.encoder, Query("it was ", ("great", "")))

    def test_label_words_of_several_tokens_are_refused_where_one_is_needed_and_targets_are_not(self) -> None:
        strict = CausalEncoder(PLAIN, single_token_labels=True, max_tokens=20)
        with pytest.raises(LabelWordError, match=r"'great fun' is 2 tokens of this model \(great fun\) and one is"):
            encoded(strict, Query("it was ", ("bad", "great fun")))
        assert encoded(strict, Query("it was ", ("great fun",)))

    def test_the_longest_branch_counts_for_the_length_and_not_all_of_them(self) -> None:
        query = Query("it was ", ("great fun", "long life and love", "bad"))
        found = encoded(self.encoder, query)
        assert len(found[0].ids) == 2 + 1 + 3
        self.encoder.check_length([query], found, n_before=20 - 5)
        with pytest.raises(QueryError, match=r"row 1 of this call \('it was '\.\.\.\) is 21 tokens long .* reads 20"):
            self.encoder.check_length([query], found, n_before=20 - 4)


class TestMasks:
    encoder = MaskedEncoder(BERT, **SETTINGS)
    mask = BERT.mask_token_id

    def test_an_option_stands_at_as_many_masks_as_it_has_tokens(self) -> None:
        query = Query("it was ", ("great fun", "bad", "my love"), " and long")
        one, two = encoded(self.encoder, query)
        behind = (*ids("and long", BERT), 3)
        assert one.ids == (*ids("it was", BERT), self.mask, *behind)
        assert two.ids == (*ids("it was", BERT), self.mask, self.mask, *behind)
        assert one.targets == (Target(1, 2, *ids("bad", BERT)),)
        great, fun, my, love = ids("great fun my love", BERT)
        assert two.targets == (Target(0, 2, great), Target(0, 3, fun), Target(2, 2, my), Target(2, 3, love))
        assert {one.query, two.query} == {0}

    def test_a_text_behind_the_label_is_enough(self) -> None:
        (one,) = encoded(self.encoder, Query("", ("great", "bad"), " was it"))
        assert one.ids == (self.mask, *ids("was it", BERT), 3)

    def test_a_row_without_text_on_either_side_is_refused(self) -> None:
        with pytest.raises(QueryError, match="row 1 of this call has no text"):
            encoded(self.encoder, Query(" ", ("great", "bad"), " "))

    def test_all_masks_and_the_text_behind_count_for_the_length(self) -> None:
        query = Query("it was ", ("great fun", "bad"), " and long")
        found = encoded(self.encoder, query)
        self.encoder.check_length([query], found, n_before=20 - 7)
        with pytest.raises(QueryError, match="is 21 tokens long"):
            self.encoder.check_length([query], found, n_before=20 - 6)


class TestEncoderDecoders:
    def encoder(self, *, blank: int | None = 3) -> EncoderDecoderEncoder:
        return EncoderDecoderEncoder(T5, blank=blank, opening=(0, 3), start=(0,), **SETTINGS)

    def test_the_text_has_a_blank_and_the_decoder_fills_it(self) -> None:
        (one,) = encoded(self.encoder(), Query("it was ", ("great fun", "bad"), " and long"))
        great, fun, bad = ids("great fun bad", T5)
        assert one.ids == (*ids("it was", T5), 3, *ids("and long", T5), 1)
        assert one.decoder_ids == (0, 3, great)
        assert one.branches == (0, 0, 1)
        assert one.targets == (Target(0, 1, great), Target(0, 2, fun), Target(1, 1, bad))

    def test_a_whole_target_fills_no_blank(self) -> None:
        (one,) = encoded(self.encoder(), Query("it was ", ("great fun",)))
        great, fun = ids("great fun", T5)
        assert one.ids == (*ids("it was", T5), 1)
        assert one.decoder_ids == (0, great)
        assert one.targets == (Target(0, 0, great), Target(0, 1, fun))

    def test_a_model_that_knows_no_blank_answers_behind_the_text(self) -> None:
        (one,) = encoded(self.encoder(blank=None), Query("it was ", ("great", "bad")))
        assert one.ids == (*ids("it was", T5), 1)
        assert one.decoder_ids == (0,)

    def test_a_decoder_reads_no_more_than_the_model_can(self) -> None:
        query = Query("it ", ("great " * 22,))
        found = encoded(self.encoder(), query)
        with pytest.raises(
            QueryError, match="row 1 of this call .* has an option for the decoder that is 22 tokens long"
        ):
            self.encoder().check_length([query], found, n_before=0)


class TestModels:
    @pytest.mark.parametrize(
        ("kind", "most"), [("llama", 64), ("gpt2", 64), ("bert", 64), ("roberta", 62), ("bart", 64), ("t5", 1_000_000)]
    )
    def test_the_longest_sequence_is_what_the_model_has_positions_for(self, loaded: Load, kind: str, most: int) -> None:
        assert longest_sequence(loaded(kind).model) == most

    @pytest.mark.parametrize(("kind", "of_options", "of_a_target"), [("t5", (0, 3), (0,)), ("bart", (2, 0), (2, 0))])
    def test_a_decoder_begins_as_it_was_trained_to(
        self, loaded: Load, kind: str, of_options: tuple[int, ...], of_a_target: tuple[int, ...]
    ) -> None:
        encoder = query_encoder(loaded(kind).model, loaded(kind).tokenizer, single_token_labels=False)
        (labels,) = encoded(encoder, Query("it was ", ("great", "bad")))
        (target,) = encoded(encoder, Query("it was ", ("great",)))
        assert (labels.decoder_ids, target.decoder_ids) == (of_options, of_a_target)
        assert len(labels.ids) == len(target.ids) + 1  # the blank

    def test_the_blank_of_mt5_is_found_under_its_own_name(self, loaded: Load) -> None:
        encoder = query_encoder(loaded("t5").model, word_tokenizer("mt5"), single_token_labels=False)
        (labels,) = encoded(encoder, Query("it was ", ("great", "bad")))
        assert labels.decoder_ids == (0, 3)
        assert 3 in labels.ids

    def test_a_masked_model_without_a_mask_token_is_refused(self, loaded: Load) -> None:
        with pytest.raises(BackendSettingError, match=r"a masked model \(bert\) needs a tokenizer with a mask token"):
            query_encoder(loaded("bert").model, PLAIN, single_token_labels=False)

    def test_an_encoder_decoder_that_names_no_decoder_start_is_refused(
        self, loaded: Load, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(loaded("bart").model.config, "decoder_start_token_id", None)
        with pytest.raises(BackendSettingError, match=r"encoder-decoder \(bart\) must name decoder_start_token_id"):
            query_encoder(loaded("bart").model, loaded("bart").tokenizer, single_token_labels=False)
