"""Prune, convert, check and time every network of the zoo: ``make zoo``.

Each step of each network runs in a process of its own, so that one that fails is a reason in its record and no more.
What was done before with the same sources and the same plugin is not done again: an interrupted run goes on.
"""

import argparse
import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from files import stem
from models_table import RESULTS, all_tables, read
from tables import fill
from workloads import ROOT

from mcpruner.converter.whole_file import write_file
from mcpruner.machine import birth_certificate
from mcpruner.runtime import delegate_path

HERE = Path(__file__).resolve().parent
OUT = Path("out/zoo")
PAGE = ROOT / "docs/models.md"
LIMIT = 900  # seconds that one step of one network may take


def step(script: str, *arguments: str) -> str | None:
    """Run one of the scripts beside this one; the reason if it failed."""
    try:
        done = subprocess.run(
            [sys.executable, str(HERE / script), *arguments], capture_output=True, text=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{script} took longer than {LIMIT} s"
    if done.returncode < 0:
        return f"{script} was ended by {signal.Signals(-done.returncode).name}"
    lines = done.stderr.strip().splitlines() or ["without a word"]
    return f"{script} failed: {lines[-1]}" if done.returncode else None


def make_files(network: str, out: Path) -> None:
    """Make the files of a network, unless they are there."""
    facts = out / "files" / f"{stem(network)}.json"
    if facts.exists():
        return
    reason = step("files.py", network, str(facts.parent))
    if reason:
        write_file(facts, json.dumps({"reason": reason}) + "\n")


def plugin_hash() -> str:
    """What tells one build of the plugin from another."""
    return hashlib.sha256(Path(delegate_path()).read_bytes()).hexdigest()[:12]


def calibrate(out: Path) -> Path:
    """Table of costs of this machine and this plugin, measured unless it is there."""
    path = out / f"costs_{plugin_hash()}.json"
    if not path.exists():
        print("calibrating", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "mcpruner", "calibrate", "-o", str(path)], check=True)
    return path


def make_record(network: str, out: Path, *arguments: str) -> dict[str, Any]:
    """Record of a network whose files are made; that of an earlier run, if nothing has changed since."""
    path = out / "records" / f"{network}.json"
    made_of = {"files": stem(network), "plugin": plugin_hash()}
    if path.exists():
        record = json.loads(path.read_text())
        if record.items() >= made_of.items():
            return record
    path.unlink(missing_ok=True)
    reason = step("measure.py", network, str(out / "files"), str(path), *arguments)
    record = {"network": network, **birth_certificate(), "reason": reason} if reason else json.loads(path.read_text())
    record |= {"command": "make zoo", **made_of}
    write_file(path, json.dumps(record, indent=1) + "\n")
    return record


def publish(records: list[dict[str, Any]]) -> None:
    """Put the records among the results, and what all results say into docs/models.md."""
    RESULTS.mkdir(exist_ok=True)
    for record in records:
        write_file(RESULTS / f"{record['network']}.json", json.dumps(record, indent=1) + "\n")
    write_file(PAGE, fill(PAGE.read_text(), all_tables(read(RESULTS))))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", metavar="NAME", help="of examples/zoo (default: all)")
    parser.add_argument("--seconds", type=float, default=4.0, help="of timing for each number of threads (default: 4)")
    parser.add_argument("--out", type=Path, default=OUT, help=f"for files and records (default: {OUT})")
    parser.add_argument("--calibrate", action="store_true", help="predict by costs measured here, too (a minute)")
    parser.add_argument("--publish", action="store_true", help="write the results and docs/models.md")
    return parser.parse_args()


def main() -> None:
    """All files first, then all records, which are timed while nothing else runs."""
    args = parse()
    for folder in ("files", "records"):
        (args.out / folder).mkdir(parents=True, exist_ok=True)
    networks = args.networks or known()
    for network in networks:
        print(f"{network}: files", file=sys.stderr, flush=True)
        make_files(network, args.out)
    records, arguments = [], [str(args.seconds)]
    if args.calibrate:
        arguments.append(str(calibrate(args.out)))
    for network in networks:
        print(f"{network}: check and timing", file=sys.stderr, flush=True)
        records.append(make_record(network, args.out, *arguments))
    print("\n\n".join(all_tables(records).values()))
    if args.publish:
        publish(records)


def known() -> list[str]:
    """Names of all networks; in a process of its own, since TensorFlow holds memory and threads."""
    code = "import zoo; print(*zoo.ZOO)"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=ROOT / "examples", capture_output=True, text=True, check=True)
    return found.stdout.split()


if __name__ == "__main__":
    main()
