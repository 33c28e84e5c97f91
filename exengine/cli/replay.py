"""`exengine replay`: recorded signals and prices through the engine, as fast as the machine allows (SPEC §11, §12)."""

import argparse
import os
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from exengine.bootstrap.replay import ReplayInputs, play
from exengine.bootstrap.replay_work import Files, read_markets
from exengine.domain.errors import UserError
from exengine.domain.money import arithmetic, plain
from exengine.replay import output
from exengine.replay.signals_file import read_signals
from exengine.settings.file import read
from exengine.settings.pages import Config
from exengine.settings.plain import replay_settings
from exengine.settings.secrets import SECRET_VARIABLE

WRONG_USE = 2


def run_replay(options: argparse.Namespace) -> int:
    """Reads everything, plays it, writes the files. 2, and nothing written, where an input or `--out` is wrong."""
    try:
        output.check(options.out)
        inputs, _ = read_inputs(options)
    except UserError as error:
        print(f"exengine: {error}", file=sys.stderr)
        return WRONG_USE
    began = time.perf_counter()
    progress = _Progress(inputs)
    played = play(inputs, progress.at)
    progress.done()
    found = output.save(options.out, played.state, played.record, played.points)
    _tell(found, options.out, played.events, time.perf_counter() - began)
    return 0


def read_inputs(options: argparse.Namespace) -> tuple[ReplayInputs, Config]:
    """Everything that a replay is made of, and the configuration that its settings are of. Raises UserError."""
    config = read(options.config, must_exist=True)
    secret = None if options.no_auth else os.environ.get(SECRET_VARIABLE)
    if not options.no_auth and not secret:
        raise UserError(
            f"The recorded signals are to be authenticated, but {SECRET_VARIABLE} is not set.",
            remedy="Set it to the secret in their bodies, or give --no-auth.",
        )
    files = Files(
        prices=tuple(options.prices),
        instruments=read_markets(options.markets),
        recorded=tuple(read_signals(options.signals)),
        secret=secret,
    )
    inputs = files.read(replay_settings(config))
    return inputs, config


class _Progress:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, inputs: ReplayInputs) -> None:
        self._from, self._to = inputs.span_ms or (0, 0)
        self._shown = sys.stderr.isatty() and self._to > self._from
        self._next = 0.0

    def at(self, at_ms: int, events: int) -> None:
        if self._shown and time.perf_counter() >= self._next:
            self._next = time.perf_counter() + 0.1
            share = min(1.0, (at_ms - self._from) / (self._to - self._from))
            bar = "━" * int(share * 40)
            print(f"\r  {bar:<40} {share * 100:3.0f} %  {events:,} events", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        if self._shown:
            print("\r" + " " * 79 + "\r", end="", file=sys.stderr, flush=True)


def _tell(found: dict[str, Any], out: Path, events: int, seconds: float) -> None:
    """The summary as a trader reads it."""

    def said(name: str, unit: str = "") -> str:
        value = found[name]
        if value is None:
            return "–"
        return f"{plain(value.quantize(Decimal('0.01')))}{unit}" if isinstance(value, Decimal) else f"{value}{unit}"

    with arithmetic():
        rate = "–" if found["win_rate"] is None else f"{plain((found['win_rate'] * 100).quantize(Decimal('0.1')))} %"
        print(f"  equity        {said('start_equity')} → {said('end_equity')} USD")
        print(f"  realised      {said('realised_pnl')}   unrealised {said('unrealised_pnl')}   fees {said('fees')}")
        print(f"  groups        {found['groups_closed']} closed, {found['groups_open']} open, {rate} won")
        print(f"  per trade     win {said('average_win')}, loss {said('average_loss')}, RR {said('rr')}")
        print(f"  profit factor {said('profit_factor')}   Sharpe {said('sharpe')}   Sortino {said('sortino')}")
        print(
            f"  drawdown      most {said('max_drawdown_percent', ' %')}, now {said('current_drawdown_percent', ' %')}"
        )
    print(f"  {events:,} events in {seconds:.1f} s → {out}")
