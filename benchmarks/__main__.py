"""Run benchmarks by name, or all: each is a module of this package with a ``run()`` that answers figures.

The figures go to standard output as one table a benchmark, and as JSON to
``benchmarks/results/local/NAME.json`` with the machine they were seen on; only ratios within one run bind.
``NAME.PART`` runs one part of a benchmark that is made of parts (``imaging.slicing``).
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import benchmarks
from benchmarks.pairing import machine

RESULTS = Path(__file__).parent / "results" / "local"

Figures = Mapping[str, float | str]


NO_BENCHMARKS = {"archives", "engines", "pairing", "rows"}


def names() -> list[str]:
    """The benchmarks there are."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if module.name[0] != "_" and module.name not in NO_BENCHMARKS
    )


def table(name: str, rows: Sequence[Figures]) -> str:
    """The rows as aligned text under the benchmark's name, columns in the order they first came."""
    heads = list(dict.fromkeys(head for row in rows for head in row))
    cells = [heads] + [[_shown(row.get(head, "")) for head in heads] for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([f"== {name}", *(line.rstrip() for line in lines)])


def _shown(value: float | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def measure(name: str) -> None:
    """Run one benchmark or a part of one, print its table and write its JSON."""
    whole, _, part = name.partition(".")
    module = importlib.import_module(f"benchmarks.{whole}")
    rows: Sequence[Figures] = module.run(part) if part else module.run()
    seen_on = machine()
    print(table(name, rows), flush=True)
    print("seen on: " + ", ".join(f"{key} {value}" for key, value in seen_on.items()), flush=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"name": name, "machine": seen_on, "rows": [dict(row) for row in rows]}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def main() -> int:
    """Read the command line; 2 where a name is unknown."""
    parser = argparse.ArgumentParser(prog="dev.py bench", description="Measure this checkout.")
    parser.add_argument("name", nargs="*", help="which benchmarks (default: all): " + ", ".join(names()))
    chosen = parser.parse_args().name or names()
    unknown = sorted({name for name in chosen if name.partition(".")[0] not in names()})
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    for name in chosen:
        measure(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
