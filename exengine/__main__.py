"""The command line: nothing heavy is imported before the command that needs it is known (SPEC §12)."""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exengine import __version__
from exengine.domain.alert_text import AlertTemplate
from exengine.domain.errors import UserError

EXPORTS = ("trades", "orders", "fills", "signals", "risk", "queue", "equity", "logs")

KEY_ACTIONS = {
    "set": "asks for an account’s keys and keeps them; or three lines of stdin: API key, secret, passphrase",
    "list": "which accounts have keys, and where they are kept; nothing secret",
    "delete": "forgets an account’s keys",
    "passphrase": "changes the vault’s passphrase",
}


def _folders(**more: Any) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, **more)
    common.add_argument("--data-dir", type=Path, metavar="DIR", help="where store, configuration and logs are kept")
    common.add_argument("--config", type=Path, metavar="FILE", help="the configuration, else the data folder’s")
    return common


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    # What stands before the command holds where nothing else is said after it.
    common = _folders(argument_default=argparse.SUPPRESS)
    parser = argparse.ArgumentParser(
        prog="exengine",
        parents=[_folders()],
        description="Trades TradingView alerts on this machine. Without a command: the desktop program.",
    )
    parser.add_argument("--version", action="version", version=f"ExEngine {__version__}")
    parser.add_argument("--smoke", action="store_true", help="tries this copy of the program from window to store")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    run = commands.add_parser("run", parents=[common], help="the program; --headless without a window, for a server")
    run.add_argument("--headless", action="store_true", help="engine and listener only")

    replay = commands.add_parser("replay", help="recorded signals and prices through the engine, as fast as it goes")
    replay.add_argument("--signals", type=Path, required=True, metavar="S.jsonl")
    replay.add_argument("--prices", type=Path, required=True, nargs="+", metavar="P.csv", help="one file a symbol")
    replay.add_argument("--markets", type=Path, required=True, metavar="M.json")
    replay.add_argument("--config", type=Path, required=True, metavar="C.json")
    replay.add_argument("--out", type=Path, required=True, metavar="DIR")
    replay.add_argument("--no-auth", action="store_true", help="the signals’ secrets are not asked for")
    sweep = replay.add_argument_group("many replays", "every combination of a grid of settings, ranked and drawn")
    sweep.add_argument("--grid", type=Path, metavar="G.json", help="setting paths to lists of values, or ranges")
    sweep.add_argument("--rank", default="profit_over_drawdown", metavar="FIGURE", help="what the best run is best in")
    sweep.add_argument("--workers", type=_positive, metavar="N", help="processes; default: one for each core")
    sweep.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="a Dask cluster instead of this machine’s cores")
    sweep.add_argument("--most", type=_positive, default=10_000, metavar="N", help="the most runs that are begun")

    signal = commands.add_parser(
        "signal", parents=[common], help="prints the alert text to paste into TradingView, and the URL"
    )
    signal.add_argument("--template", choices=[one.value for one in AlertTemplate], default="entry")
    signal.add_argument("--exchange", help="instead of {{exchange}}, as BINANCE")
    signal.add_argument("--symbol", help="instead of {{ticker}}, as BTCUSDT")
    signal.add_argument("--timeframe", help="instead of {{interval}}, as 15")
    signal.add_argument("--price", help="instead of {{close}}, as 64000.5")
    signal.add_argument("--side", choices=["long", "short"], default="long")
    signal.add_argument("--send", action="store_true", help="posts it to the running engine and prints the answer")
    signal.add_argument("--url", help="the webhook’s URL with its token, if it is not this machine’s own")

    export = commands.add_parser("export", parents=[common], help="writes the store’s history as CSV or JSON")
    export.add_argument("--what", choices=EXPORTS, required=True)
    export.add_argument("--format", choices=["csv", "json"], default="csv")
    export.add_argument("--out", default="-", metavar="FILE", help="- is the terminal (default)")
    of_day = "a day as 2026-11-29, or a moment as 2026-11-29T14:30, in app.timezone unless it names another"
    export.add_argument("--from", dest="since", metavar="WHEN", help=f"only from then on: {of_day}")
    export.add_argument("--to", dest="until", metavar="WHEN", help="only until then; a day is taken whole")

    backup = commands.add_parser(
        "backup", parents=[common], help="configuration, store and logs in one file, no secrets; also while it runs"
    )
    backup.add_argument("file", type=Path, metavar="FILE", help="a zip file, replaced where it is there")
    restore = commands.add_parser("restore", parents=[common], help="puts a backup back where no engine runs")
    restore.add_argument("file", type=Path, metavar="FILE", help="what `exengine backup` has written")
    restore.add_argument("--replace", action="store_true", help="takes the place of what is there, which is kept")
    restore.add_argument("--keep-config", action="store_true", help="the configuration that is there stays")

    keys = commands.add_parser("keys", help="the exchange accounts’ keys: set, list, delete; the vault’s passphrase")
    actions = keys.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, meaning in KEY_ACTIONS.items():
        one = actions.add_parser(action, parents=[common], help=meaning, description=f"{meaning}.")
        if action in ("set", "delete"):
            one.add_argument("account", metavar="ACCOUNT", help="its name in the configuration")
            # Whatever follows is refused without being repeated: it may be a key.
            one.add_argument("rest", nargs="*", help=argparse.SUPPRESS)

    commands.add_parser("doctor", parents=[common], help="checks configuration, store, keyring, port, clock, accounts")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. 0 fine, 1 failed, 2 wrong use."""
    if getattr(sys, "frozen", False):  # a process that replays is this program again, started in another way
        multiprocessing.freeze_support()
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:  # what is given may be a key or a token: only the names of options are repeated
        named = [one.partition("=")[0] for one in unknown if one.startswith("--") and options.command != "keys"]
        parser.error("unrecognized arguments" + (f": {' '.join(named)}" if named else ""))
    if options.command == "replay" and options.grid is None and (options.workers or options.scheduler):
        parser.error("--workers and --scheduler are of many replays: they need a --grid")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        match options.command:
            case None if options.smoke:
                from exengine.cli.smoke import run_smoke

                return run_smoke()
            case "run" if options.headless:
                from exengine.cli.headless import run_headless

                return run_headless(options)
            case "replay" if options.grid:
                from exengine.cli.sweep import run_sweep

                return run_sweep(options)
            case "replay":
                from exengine.cli.replay import run_replay

                return run_replay(options)
            case "signal":
                from exengine.cli.signal import run_signal

                return run_signal(options)
            case "export":
                from exengine.cli.export import run_export

                return run_export(options)
            case "backup":
                from exengine.cli.backup import run_backup

                return run_backup(options)
            case "restore":
                from exengine.cli.restore import run_restore

                return run_restore(options)
            case "keys":
                from exengine.cli.keys import run_keys

                return run_keys(options)
            case "doctor":
                from exengine.cli.doctor import run_doctor

                return run_doctor(options)
            case _:
                from exengine.cli.open_desktop import run_desktop

                return run_desktop(options)
    except UserError as error:
        print(f"exengine: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does: nothing to complain of, and nothing more to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
