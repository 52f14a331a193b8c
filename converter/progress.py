"""A progress bar for work that turns out to be long."""

import sys
import time
from collections.abc import Collection, Iterator
from typing import TypeVar

T = TypeVar("T")

# Work that takes less time than this shows no bar.
_DELAY_SECONDS = 2.0


def track(items: Collection[T], description: str) -> Iterator[T]:
    """Iterate over `items`; after two seconds show a bar on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import Progress

    begin = time.monotonic()
    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(description, total=len(items))
    try:
        for item in items:
            yield item
            bar.advance(task)
            if not bar.live.is_started and time.monotonic() - begin > _DELAY_SECONDS:
                bar.start()
    finally:
        bar.stop()
