"""Tokenizers of words, with the special tokens that real models put around a text."""

from dataclasses import dataclass

from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

TEXTS = ["a quiet film about great love .", "it was bad and long", "the worst evening of my life", "great fun"]


@dataclass(frozen=True)
class Style:
    """What a tokenizer adds to a text.

    Attributes:
        specials: the first tokens of the vocabulary, numbered from 0.
        template: what stands around a text, "$A"; empty is nothing.
        roles: role -> token, as transformers names them.
    """

    specials: tuple[str, ...]
    template: str
    roles: dict[str, str]


_ANGLES = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
STYLES = {
    "plain": Style(("[UNK]",), "", {"unk_token": "[UNK]"}),
    "begin": Style(("<unk>", "<s>", "</s>"), "<s> $A", {k: v for k, v in _ANGLES.items() if k != "pad_token"}),
    "bert": Style(
        ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        "[CLS] $A [SEP]",
        {role + "_token": f"[{role.upper()}]" for role in ("pad", "unk", "cls", "sep", "mask")},
    ),
    "roberta": Style(
        ("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
        "<s> $A </s>",
        {**_ANGLES, "cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>"},
    ),
    "t5": Style(
        ("<pad>", "</s>", "<unk>", "<extra_id_0>"),
        "$A </s>",
        {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"},
    ),
    "mt5": Style(
        ("<pad>", "</s>", "<unk>", "\u2581<extra_id_0>"),
        "$A </s>",
        {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"},
    ),
}


def word_tokenizer(name: str) -> PreTrainedTokenizerFast:
    """Word pieces in a style: the words of `TEXTS`, and single letters for all others."""
    style = STYLES[name]
    unknown = style.roles["unk_token"]
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + [".", ","]
    words = sorted({*" ".join(TEXTS).split()})
    pieces = [*style.specials, *letters, *("##" + letter for letter in letters), *words]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    fast = Tokenizer(models.WordPiece(vocabulary, unk_token=unknown))
    fast.pre_tokenizer = pre_tokenizers.Whitespace()
    fast.add_special_tokens(list(style.specials))
    if style.template:
        special = [(token, vocabulary[token]) for token in style.specials if token in style.template]
        fast.post_processor = processors.TemplateProcessing(single=style.template, special_tokens=special)
    return PreTrainedTokenizerFast(tokenizer_object=fast, **style.roles)
