"""Public kernels that were timed elsewhere, beside the times of our tables: what compare-peers cannot run. Without torch.

Only token counts from 1024 on: below, what is compared is the method of timing.
"""

import csv

from . import cases, stats
from .table import NoRow

TOKENS_MIN = 1024
COLUMNS = ["family", "shape", "tokens", "peer", "us"]


class Published(Exception):
    """A file of published times is not one; says where."""


def read(path):
    """{(family, shape, tokens): {peer: microseconds}} of a CSV file. Every row must name a case that is compared."""
    known = {(case.family, case.shape, case.tokens) for case in cases.all_cases()}
    times = {}
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != COLUMNS:
            raise Published(f"{path}:1: expected the columns {','.join(COLUMNS)}")
        for number, row in enumerate(reader, 2):
            try:
                key, us = (row["family"], row["shape"], int(row["tokens"])), float(row["us"])
            except (TypeError, ValueError):
                raise Published(f"{path}:{number}: expected tokens and us to be numbers") from None
            if key not in known:
                raise Published(f"{path}:{number}: no case is called {' '.join(map(str, key))}; --list prints them")
            if key[2] < TOKENS_MIN or not 0 < us < float("inf"):
                raise Published(f"{path}:{number}: expected at least {TOKENS_MIN} tokens and a time above 0")
            times.setdefault(key, {})[row["peer"]] = us
    return times


def compare(tables, times, chosen):
    """One result for each of these cases with a published time: the table's median beside the fastest peer, or why there is none."""
    results = []
    for case in chosen:
        peers = times.get((case.family, case.shape, case.tokens))
        if not peers:
            continue
        peer = min(peers, key=peers.get)
        result = {"case": case, "peer": peer, "peer_us": peers[peer], "peers": len(peers)}
        try:
            certificate = tables.of(case.family).row(case)["certificate"]
            result.update(us=certificate["median_us"], ratio=peers[peer] / certificate["median_us"])
        except NoRow as why:
            result["why"] = str(why)
        results.append(result)
    return results


def _cell(result):
    if "ratio" not in result:
        return "no kernel"
    return f"{result['us']:.4g} / {result['peer_us']:.4g} = **{result['ratio']:.2f}x** ({result['peer']})"


def markdown(results):
    """Rows: family and shape; columns: token counts."""
    tokens = sorted({result["case"].tokens for result in results})
    cells = {(result["case"].family, result["case"].shape, result["case"].tokens): _cell(result) for result in results}
    lines = ["| family | case | " + " | ".join(f"T={count}" for count in tokens) + " |", "|---" * (2 + len(tokens)) + "|"]
    for family, shape in dict.fromkeys((result["case"].family, result["case"].shape) for result in results):
        lines.append(f"| {family} | {shape} | " + " | ".join(cells.get((family, shape, count), "-") for count in tokens) + " |")
    return "\n".join(lines + ["", *(f"- {line}" for line in summary(results)), ""])


def summary(results):
    done = [result for result in results if "ratio" in result]
    if not done:
        return ["nothing was compared"]
    lines = [f"best published time over ours, geometric mean of {len(done)} cases: {_mean(done):.3f}x"]
    for family in dict.fromkeys(result["case"].family for result in done):
        own = [result for result in done if result["case"].family == family]
        lines.append(f"{family}: {_mean(own):.3f}x over {len(own)} cases, worst {min(result['ratio'] for result in own):.3f}x")
    behind = [result["case"].key for result in done if result["ratio"] < 1]
    lines.append(f"cases where a published time is lower: {len(behind)}" + "".join(f"; {key}" for key in behind))
    left = [result for result in results if "ratio" not in result]
    if left:
        lines.append(f"not compared: {left[0]['why']} ({len(left)} cases, the first: {left[0]['case'].key})")
    return lines


def _mean(results):
    return stats.geometric_mean([result["ratio"] for result in results])
