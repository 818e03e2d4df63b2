"""What bad input gets: one line on stderr that says what, where and what to do; exit code 2; nothing written."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from blackbox.cli import app as cli_app
from blackbox.files import read_json, write_json
from blackbox.optimizers import SearchError
from tests.blackbox.cli.conftest import Answer
from tests.blackbox.runs import write_task

Blackbox = Callable[..., Answer]
pytestmark = pytest.mark.usefixtures("without_pictures")


def one_line(answer: Answer) -> str:
    """The error of wrong input."""
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.count("\n") == 1
    assert answer.err.startswith("error: ")
    assert "Traceback" not in answer.err
    return answer.err


def refused(blackbox: Blackbox, config: Path, *options: object) -> str:
    """The error of a `tune` that leaves the folder as it was."""
    before = {path: path.read_bytes() for path in config.parent.rglob("*") if path.is_file()}
    error = one_line(blackbox("tune", config, "--runs", config.parent / "runs", *options))
    assert {path: path.read_bytes() for path in config.parent.rglob("*") if path.is_file()} == before
    assert not (config.parent / "runs").exists()
    return error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dimension", "1"], "setting 'dimension': input should be greater than or equal to 2, got 1"),
        (["--population", "1"], "setting 'population': input should be greater than or equal to 2, got 1"),
        (["--sigma", "-1"], "setting 'sigma': input should be greater than 0, got -1.0"),
        (["--sigma", "nan"], "setting 'sigma'"),
        (["--evaluations", "6"], "the start, one generation and its look at the dev rows need 7"),
        (["--train", "none.jsonl"], "none.jsonl: No such file"),
        (["--test", "rows.txt"], "rows are read from .jsonl and .csv files, got .txt"),
        (["--template", "{text}"], "exactly one {label}, got 0"),
        (["--template", "{label} {text} {label}"], "exactly one {label}, got 2"),
        (["--template", "{review} {label}"], "train row 1 has no field 'review'"),
        (["--label-words", "negative=bad"], "at least two labels"),
        (["--label-words", "negative=bad,positive=bad"], "label word 'bad' stands for 'negative' and 'positive'"),
        (["--label-words", "negative=,positive=great"], "the label word of 'negative' is empty"),
        (["--label-words", "negative=bad,good=great"], "train row 2 has label 'positive', which is not in label_words"),
        (["--label-words", "negative=bad,positive=great,neutral=so"], "label 'neutral' has no row in train"),
        (["--label-words", "bad"], "must look like negative=bad,positive=great"),
        (["--shots", "5"], "label 'negative' has 4 rows"),
        (["--optimizer", "cmaes"], "unknown optimizer 'cmaes'; did you mean 'cma-es'?"),
        (["--optimizer", "blockwise:cma"], "unknown optimizer 'cma'; did you mean 'cma-es'?"),
        (["--space", "deap"], "unknown space 'deap'; did you mean 'deep'?"),
        (["--backend", "fakes"], "unknown backend 'fakes'; did you mean 'fake'?"),
        (
            ["--projection", "gauss"],
            "setting 'projection': input should be 'gaussian', 'uniform', 'hadamard', ",
        ),
        (["--loss", "hing"], "unknown loss 'hing'; did you mean 'hinge'?"),
        (["--metric", "f1"], "unknown metric 'f1'"),
        (["--preset", "bbt3"], "unknown preset 'bbt3'; did you mean"),
        (["--covariance", "fully"], "setting 'covariance': input should be 'full' or 'diagonal', got 'fully'"),
        (["--step-size", "tpa", "--population", "3"], "population_size of at least 4"),
        (["--layers", "3-9"], "the model has layers 0 to 3"),
        (["--layers", "top"], "layers must be all, upper-half"),
        (["--prompt", ""], "at least one token"),
        (["--target", "1.5"], "setting 'target'"),
    ],
)
def test_bad_settings_are_refused_in_one_line(
    options: list[str], message: str, blackbox: Blackbox, config: Path
) -> None:
    assert message in refused(blackbox, config, *options)


def test_an_unknown_key_of_the_file_is_refused_with_the_nearest_known_one(blackbox: Blackbox, tmp_path: Path) -> None:
    error = refused(blackbox, write_task(tmp_path, dimensoin=4))
    assert "unknown setting 'dimensoin'; did you mean 'dimension'?" in error


def test_a_missing_file_and_what_is_no_toml_are_refused(blackbox: Blackbox, tmp_path: Path) -> None:
    assert "none.toml: No such file" in refused(blackbox, tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("= 3")
    assert "bad.toml: is no TOML" in refused(blackbox, tmp_path / "bad.toml")


def test_no_training_rows_are_refused(blackbox: Blackbox, tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    assert "no training rows: set `train`" in refused(blackbox, tmp_path / "empty.toml")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "x"}', "train row 9 has no field 'label'"),
        ('{"label": "positive"}', "train row 9 has no field 'text'"),
        ('{"text": null, "label": "positive"}', "train row 9 has null in its field 'text'"),
        ('{"text": "\udce9"}', "train.jsonl line 9: is not UTF-8 text"),
        ('{"text": "x", "label": "so-so"}', "train row 9 has label 'so-so'"),
        ('{"text": ', "train.jsonl line 9: is no JSON"),
        ("[]", "train.jsonl line 9: must be a JSON object, got list"),
    ],
)
def test_a_bad_row_is_refused_by_its_place(line: str, message: str, blackbox: Blackbox, config: Path) -> None:
    train = config.parent / "train.jsonl"
    train.write_text(train.read_text() + line + "\n", errors="surrogateescape")
    assert message in refused(blackbox, config)


def test_an_empty_class_is_refused_by_name(blackbox: Blackbox, config: Path) -> None:
    train = config.parent / "train.jsonl"
    train.write_text("".join(line for line in train.read_text().splitlines(keepends=True) if "positive" in line))
    assert "label 'negative' has no row in train" in refused(blackbox, config)


def test_a_run_of_the_same_name_is_refused_before_a_model_is_loaded_with_the_way_on(
    blackbox: Blackbox, config: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        import_module("blackbox.parts"), "make_backend", lambda config: pytest.fail("a model was loaded")
    )
    before = (run / "evaluations.jsonl").read_bytes()
    error = one_line(blackbox("tune", config, "--runs", run.parent, "--name", "run"))
    assert f"blackbox resume {run}" in error
    assert (run / "evaluations.jsonl").read_bytes() == before


@pytest.mark.parametrize("command", ["resume", "show", "predict", "compare"])
def test_a_folder_that_holds_no_run_is_refused(command: str, blackbox: Blackbox, tmp_path: Path) -> None:
    error = one_line(blackbox(command, tmp_path / "nothing"))
    assert "nothing" in error
    assert not (tmp_path / "nothing").exists()


def test_a_damaged_checkpoint_is_refused_with_the_way_on(blackbox: Blackbox, run: Path) -> None:
    summary = read_json(run / "summary.json")
    write_json(run / "summary.json", {**summary, "status": "interrupted"})
    path = run / "checkpoint.json"
    path.write_bytes(path.read_bytes()[:200])
    assert "delete it and resume" in one_line(blackbox("resume", run))


def test_a_damaged_journal_is_refused_by_line(blackbox: Blackbox, run: Path) -> None:
    path = run / "evaluations.jsonl"
    path.write_text("nothing\n" + path.read_text())
    assert "evaluations.jsonl line 1 is no evaluation" in one_line(blackbox("resume", run))


@pytest.mark.parametrize("command", ["show", "predict"])
def test_a_damaged_prompt_is_refused_by_what_is_wrong(command: str, blackbox: Blackbox, run: Path) -> None:
    (path,) = (run / "prompt").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    answer = blackbox(command, run)
    assert answer.code == 2
    assert f"{path.name} is damaged" in answer.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tune", "--dimensoin", "4"], "No such option: --dimensoin (Possible options: --dimension"),
        (["tuna"], "No such command 'tuna'. Did you mean 'tune'?"),
        (["resume"], "Missing argument 'run'"),
        (["tune", "--seed", "x"], "Invalid value for '--seed'"),
        (["--traceback"], "Missing command"),
    ],
)
def test_a_wrong_command_line_is_refused_in_one_line(arguments: list[str], message: str, blackbox: Blackbox) -> None:
    answer = blackbox(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines()[-1].startswith("error: ")
    assert message in answer.err.splitlines()[-1]
    assert answer.err.count("\n") == 1 or "--traceback" in arguments


def test_no_command_at_all_gets_the_help(blackbox: Blackbox) -> None:
    assert "Usage: blackbox" in blackbox().out


@pytest.mark.parametrize("command", ["", "tune", "resume", "evaluate", "predict", "show", "compare", "doctor"])
def test_every_command_has_help(command: str, blackbox: Blackbox) -> None:
    answer = blackbox(*filter(None, [command]), "--help")
    assert answer.code == 0
    assert "Usage: blackbox" in answer.out


class TestErrorsOfThePrograms:
    """What is no wrong input: exit code 1, still one line."""

    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def breaking(*arguments: object, **named: object) -> None:
            raise ZeroDivisionError("something\nunforeseen")

        monkeypatch.setattr("blackbox.cli.tune_commands.start_run", breaking)

    @pytest.mark.usefixtures("broken")
    def test_an_unforeseen_error_is_one_line_that_names_its_kind(self, blackbox: Blackbox, config: Path) -> None:
        answer = blackbox("tune", config)
        assert answer.code == 1
        assert answer.err == ("error: ZeroDivisionError: something unforeseen (blackbox --traceback ... shows where)\n")

    def test_a_library_that_fails_in_mid_run_is_no_wrong_input(
        self, blackbox: Blackbox, config: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(*arguments: object, **named: object) -> None:
            raise SearchError("pycma failed")

        monkeypatch.setattr("blackbox.cli.tune_commands.start_run", failing)
        answer = blackbox("tune", config)
        assert answer.code == 1
        assert answer.err == "error: SearchError: pycma failed (blackbox --traceback ... shows where)\n"

    @pytest.mark.usefixtures("broken")
    def test_a_traceback_is_shown_when_it_is_asked_for(self, blackbox: Blackbox, config: Path) -> None:
        answer = blackbox("--traceback", "tune", config)
        assert answer.code == 1
        assert "Traceback (most recent call last)" in answer.err
        assert answer.err.splitlines()[-1] == "error: ZeroDivisionError: something unforeseen"

    def test_a_stop_by_the_user_has_exit_code_130(
        self, blackbox: Blackbox, config: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stopped(*arguments: object, **named: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("blackbox.cli.tune_commands.start_run", stopped)
        answer = blackbox("tune", config, "--runs", config.parent)
        assert answer.code == 130
        assert answer.err == "stopped before the search began\n"


def test_the_exit_codes_are_those_that_are_documented() -> None:
    assert (cli_app.DONE, cli_app.FAILED, cli_app.WRONG_INPUT, cli_app.STOPPED) == (0, 1, 2, 130)


def test_errors_do_not_show_markup_or_break_lines(blackbox: Blackbox, tmp_path: Path) -> None:
    path = tmp_path / ("[red]" + "long" * 40 + ".toml")
    assert path.name in one_line(blackbox("tune", path))


def test_json_of_summaries_is_readable_by_programs(run: Path) -> None:
    values = json.loads((run / "summary.json").read_text())
    assert values["status"] == "succeeded"
    assert set(values["test_after"]) == {"metric", "value", "low", "high", "rows"}
