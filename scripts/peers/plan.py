"""How much a recorded graph goes through, so that data is cold and a span is long enough to time. Without torch."""

import dataclasses

# A ring's data is four times the last-level cache of an H200 (60 MB): what a launch touches has left it when its turn comes again.
COLD_BYTES = 240_000_000
# More sets than that are not worth their launches: then a read of as many bytes, outside of the timed span, comes before each span.
SETS_MAX = 256
SPAN_US = 1000.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """How many sets a ring has and how often one recorded graph goes round it."""

    sets: int
    turns: int
    flush: bool

    @property
    def launches(self):
        return self.sets * self.turns


def plan(touched_bytes):
    """For a case whose launch touches so many bytes. The time of a launch is estimated from them, the same for all peers of the case."""
    estimate_us = 1.5 + touched_bytes / 3.5e6
    wanted = max(2, int(COLD_BYTES // touched_bytes) + 2)
    sets = min(wanted, SETS_MAX)
    flush = wanted > SETS_MAX
    # Behind a flush a set is cold once.
    turns = 1 if flush else max(1, int(-(-SPAN_US // (sets * estimate_us))))
    return Plan(sets, turns, flush)
