import typer
from typer.testing import CliRunner

from database.cli import migrate
from database.migrate import names

app = typer.Typer()
app.command()(migrate)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_applies_and_says_what(empty: str) -> None:
    assert run("--dsn", empty, "--check")[0] == 1
    assert run("--dsn", empty) == (0, "".join(f"applied {name}\n" for name in names()))
    assert run("--dsn", empty) == (0, "up to date\n")
    assert run("--dsn", empty, "--check") == (0, "up to date\n")


def test_an_error_is_one_sentence_and_exit_one(empty: str) -> None:
    code, output = run("--dsn", empty, "--timescale", "require")
    assert code == 1
    assert "timescaledb" in output
    assert "Traceback" not in output
