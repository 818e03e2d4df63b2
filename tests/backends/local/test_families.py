"""Every family of models against the models' own code."""

from tests.backends.local.family_contract import FamilyContract


class TestLlama(FamilyContract):
    kind = "llama"


class TestMistralWithAWindow(FamilyContract):
    kind = "mistral"


class TestQwen2WithAWindowInSomeLayers(FamilyContract):
    kind = "qwen2"


class TestQwen3(FamilyContract):
    kind = "qwen3"


class TestGemma(FamilyContract):
    kind = "gemma"


class TestGemma2(FamilyContract):
    kind = "gemma2"


class TestGemma3(FamilyContract):
    kind = "gemma3"


class TestGPT2(FamilyContract):
    kind = "gpt2"


class TestGPT2WithAttentionScaledByLayer(FamilyContract):
    kind = "gpt2 scaled by layer"


class TestOPT(FamilyContract):
    kind = "opt"


class TestOPTWithNormsLastAndProjectedWords(FamilyContract):
    kind = "opt norm last"


class TestNeoX(FamilyContract):
    kind = "neox"


class TestNeoXWithItsPartsInTurn(FamilyContract):
    kind = "neox in turn"


class TestBert(FamilyContract):
    kind = "bert"


class TestRoberta(FamilyContract):
    kind = "roberta"


class TestT5(FamilyContract):
    kind = "t5"


class TestT5Gated(FamilyContract):
    kind = "t5 gated"


class TestBart(FamilyContract):
    kind = "bart"
