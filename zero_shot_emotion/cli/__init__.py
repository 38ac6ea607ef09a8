"""The command ``zero-shot-emotion``: parses, calls, prints. What is heavy is imported where it is used.

Here the commands stand in the order in which ``--help`` shows them; each module holds those of a topic.
"""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from ..errors import UserError
from ..s3prl_plugin import ending
from . import corpora, experiments, first_steps, results, speech, text
from .stopping import Commands, Resumable

app = typer.Typer(
    cls=Commands,
    help="Speech emotion recognition for a corpus of which nothing may be used.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=Resumable)(first_steps.demo)
app.command(cls=Resumable)(text.generate)
app.command(cls=Resumable)(text.translate)
app.command(cls=Resumable)(speech.make_corpus)
app.command(cls=Resumable)(speech.speak)
app.command(cls=Resumable)(speech.inject)
app.command(cls=Resumable)(speech.augment)
app.command(cls=Resumable)(experiments.extract)
app.command(cls=Resumable)(experiments.benchmark)
app.command(cls=Resumable)(experiments.predict)
app.command(context_settings=experiments.PASSED_ON)(experiments.run_downstream)
app.command(cls=Resumable)(experiments.train_text)
app.command()(experiments.fuse)
app.command(cls=Resumable)(speech.weak_label)
app.command()(experiments.space)
app.command()(experiments.leave_one_language_out)
app.command(cls=Resumable)(experiments.lanser)
app.command()(first_steps.doctor)

corpus_app = typer.Typer(help="Look at corpora, check them, convert them.", no_args_is_help=True)
corpus_app.command()(corpora.validate)
corpus_app.command()(corpora.summarise)
corpus_app.command()(corpora.report)
corpus_app.command()(corpora.report_speech)
corpus_app.command()(corpora.convert)
app.add_typer(corpus_app, name="corpus")

datasheet_app = typer.Typer(help="Describe a corpus that may not be used.", no_args_is_help=True)
datasheet_app.command()(text.new)
datasheet_app.command()(text.check)
datasheet_app.command("prompt")(text.show_prompt)
app.add_typer(datasheet_app, name="datasheet")

leaderboard_app = typer.Typer(
    help="Look at results, make a page of them, merge those of several people.", no_args_is_help=True
)
leaderboard_app.command()(results.add)
leaderboard_app.command()(results.show)
leaderboard_app.command("csv")(results.as_csv)
leaderboard_app.command()(results.page)
leaderboard_app.command()(results.merge)
app.add_typer(leaderboard_app, name="leaderboard")


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print and stop.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command; what a user can mend ends in one line, not in a traceback."""
    try:
        app()
    except UserError as error:
        if ending.traceback_wanted():
            raise
        ending.say_error(error)
        raise SystemExit(1) from None
