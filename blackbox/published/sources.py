"""Where published tasks come from, and how they are put to a model.

The seven tasks of BBT (Sun et al. 2022, arXiv 2201.03514) and BBTv2 (arXiv 2205.11200): data sets, splits, templates
and label words as in their released code. TREC is that of LM-BFF (Gao et al. 2021, arXiv 2012.15723).
"""

from dataclasses import dataclass

from blackbox.errors import unknown_name


@dataclass(frozen=True)
class Wording:
    """A template over `text` and `text_pair`, and a word for each label."""

    template: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """One data set.

    Attributes:
        hub, config, revision: its name on the Hugging Face hub.
        columns: there, of `text` and, for pairs, `text_pair`.
        labels: names of the labels 0, 1, ... there.
        infilled: the published wording for models that see what stands behind the label.
        continued: for models that read left to right: published for the tasks of one text each, our own for the others.
        label_column: there.
        folders: a local copy may be called so.
        line_break: what stands for one in its texts; a space is read there.
        tests: splits that a test may be reported on, the first that there is; GLUE keeps its test labels to itself.
    """

    hub: str
    config: str | None
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    infilled: Wording
    continued: Wording
    folders: tuple[str, ...]
    label_column: str = "label"
    tests: tuple[str, ...] = ("test",)
    revision: str | None = None
    line_break: str = "\n"


_GLUE = "nyu-mll/glue"
_VALIDATION = ("validation", "dev", "test")
_REVIEW = ("negative", "positive")
_BAD_GREAT = Wording("{text} . It was {label} .", ("bad", "great"))
_PAIR = "{text} ? {label} , {text_pair}"
_TOPICS = ("World", "Sports", "Business", "Tech")
_KINDS = (
    *("Company", "Education", "Artist", "Athlete", "Office", "Transportation", "Building"),
    *("Natural", "Village", "Animal", "Plant", "Album", "Film", "Written"),
)
_FIRST_KINDS = (
    "company",
    "educational institution",
    "artist",
    "athlete",
    "office holder",
    "transportation",
    "building",
)
_LAST_KINDS = ("natural place", "village", "animal", "plant", "album", "film", "written work")
_QUESTIONS = ("Expression", "Entity", "Description", "Human", "Location", "Number")

SOURCES: dict[str, Source] = {
    "glue/sst2": Source(
        _GLUE,
        "sst2",
        ("sentence",),
        _REVIEW,
        infilled=_BAD_GREAT,
        continued=Wording("{text} . The sentiment is {label}", _REVIEW),
        folders=("glue/sst2", "sst2"),
        tests=_VALIDATION,
    ),
    "yelp_polarity": Source(
        "fancyzhx/yelp_polarity",
        "plain_text",
        ("text",),
        _REVIEW,
        infilled=_BAD_GREAT,
        continued=Wording("{text} . It is {label}", _REVIEW),
        folders=("yelp_polarity", "yelp"),
        line_break="\\n",  # a backslash and an n
    ),
    "ag_news": Source(
        "fancyzhx/ag_news",
        "default",
        ("text",),
        ("world", "sports", "business", "technology"),
        infilled=Wording("{label} News: {text}", _TOPICS),
        continued=Wording("{text} The news above is about {label}", tuple(word.lower() for word in _TOPICS)),
        folders=("ag_news", "agnews"),
    ),
    "dbpedia_14": Source(
        "fancyzhx/dbpedia_14",
        "dbpedia_14",
        ("content",),
        (*_FIRST_KINDS, *_LAST_KINDS),
        infilled=Wording("[ Category: {label} ] {text}", _KINDS),
        continued=Wording("{text} The text above is about {label}", tuple(word.lower() for word in _KINDS)),
        folders=("dbpedia_14", "dbpedia14"),
    ),
    "glue/mrpc": Source(
        _GLUE,
        "mrpc",
        ("sentence1", "sentence2"),
        ("not_equivalent", "equivalent"),
        infilled=Wording(_PAIR, ("No", "Yes")),
        continued=Wording("{text}\n{text_pair}\nDo both say the same? {label}", ("No", "Yes")),
        folders=("glue/mrpc", "mrpc"),
        tests=_VALIDATION,
    ),
    "snli": Source(
        "stanfordnlp/snli",
        "plain_text",
        ("premise", "hypothesis"),
        ("entailment", "neutral", "contradiction"),
        infilled=Wording(_PAIR, ("Yes", "Maybe", "No")),
        continued=Wording("{text}\nIs it true that: {text_pair} {label}", ("Yes", "Maybe", "No")),
        folders=("snli",),
    ),
    "glue/rte": Source(
        _GLUE,
        "rte",
        ("sentence1", "sentence2"),
        ("entailment", "not_entailment"),
        infilled=Wording(_PAIR, ("Yes", "No")),
        continued=Wording("{text}\nIs it true that: {text_pair} {label}", ("Yes", "No")),
        folders=("glue/rte", "rte"),
        tests=_VALIDATION,
    ),
    "trec": Source(
        "CogComp/trec",
        None,
        ("text",),
        ("abbreviation", "entity", "description", "human", "location", "number"),
        infilled=Wording("{label}: {text}", _QUESTIONS),
        continued=Wording("Question: {text}\nType: {label}", _QUESTIONS),
        folders=("trec",),
        label_column="coarse_label",
        revision="refs/convert/parquet",  # its main branch is a script, which `datasets` runs no more
    ),
}


def source_of(name: str) -> Source:
    """The data set of a name: `"glue/sst2"`, `"sst2"`, `"ag_news"`, `"fancyzhx/ag_news"`, ...

    Raises:
        UnknownNameError: there is none of this name.
    """
    short = _short(name)
    for known, source in SOURCES.items():
        if short == _short(known):
            return source
    raise unknown_name("data set", name, SOURCES)


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1].replace("_", "").lower()
