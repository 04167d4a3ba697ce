"""What a run prints at its end and writes: a table in Markdown, a summary in words, everything in JSON. Without torch."""

import csv
import json
import math

from . import stats

DONE, OURS_WRONG, NOTHING = 0, 2, 4


def best_of(result):
    """(name, comparison) of the fastest peer of a case, or None."""
    timed = [(name, peer) for name, peer in result["peers"].items() if peer.get("ratio")]
    return min(timed, key=lambda item: item[1]["ratio"]) if timed else None


def compared(results):
    return [result for result in results if best_of(result)]


def cell(result):
    """Microseconds of ours and of the best peer, and how many times as fast ours is."""
    best = best_of(result)
    if not best:
        return result.get("short", "-")
    name, peer = best
    noise = 100 * max(peer["ratio_high"] / peer["ratio"] - 1, 1 - peer["ratio_low"] / peer["ratio"])
    margin = f" +-{noise:.1f}%" if math.isfinite(noise) else ""
    return f"{result['ours']['us']:.4g} / {peer['us']:.4g} = **{peer['ratio']:.2f}x**{margin} ({name})"


def markdown(results, about):
    """Rows: family and shape; columns: token counts."""
    tokens = sorted({result["tokens"] for result in results})
    cells = {(result["family"], result["shape"], result["tokens"]): cell(result) for result in results}
    rows = list(dict.fromkeys((result["family"], result["shape"]) for result in results))
    lines = [f"{about['gpu']}, driver {about['driver']}, torch {about['torch']}, triton {about['triton']}, {about['date']}: microseconds per call "
             "on cold data, ours / best peer = ratio with the half-width of its 95 % interval.", "",
             "| family | case | " + " | ".join(f"T={count}" for count in tokens) + " |",
             "|---" * (2 + len(tokens)) + "|"]
    for family, shape in rows:
        lines.append(f"| {family} | {shape} | " + " | ".join(cells.get((family, shape, count), "-") for count in tokens) + " |")
    return "\n".join(lines + ["", *(f"- {line}" for line in summary(results)), ""])


def summary(results):
    """What all cases come to, a line each."""
    done = compared(results)
    lines = []
    if done:
        best = {result["case"]: best_of(result)[1] for result in done}
        mean = stats.geometric_mean([peer["ratio"] for peer in best.values()])
        lines.append(f"best peer over ours, geometric mean of {len(done)} cases: {mean:.3f}x")
        for family in dict.fromkeys(result["family"] for result in done):
            ratios = [best[result["case"]]["ratio"] for result in done if result["family"] == family]
            lines.append(f"{family}: {stats.geometric_mean(ratios):.3f}x over {len(ratios)} cases, worst {min(ratios):.3f}x")
        for tokens in sorted({result["tokens"] for result in done}):
            ratios = [best[result["case"]]["ratio"] for result in done if result["tokens"] == tokens]
            lines.append(f"T={tokens}: {stats.geometric_mean(ratios):.3f}x over {len(ratios)} cases, worst {min(ratios):.3f}x")
        behind = [result["case"] for result in done if best[result["case"]]["ratio_high"] < 1]
        lines.append(f"cases where a peer is faster beyond noise: {len(behind)}" + "".join(f"; {case}" for case in behind))
        undecided = [result["case"] for result in done
                     if best[result["case"]]["ratio_low"] <= 1 <= best[result["case"]]["ratio_high"]]
        lines.append(f"cases that the intervals do not decide: {len(undecided)}")
    else:
        lines.append("nothing was compared")
    wrong = [result["case"] for result in results if result.get("ours_wrong")]
    if wrong:
        lines.append(f"OURS IS WRONG in {len(wrong)} cases: " + "; ".join(wrong))
    lines += _not_compared(results)
    return lines


def beside_skeletons(results, most=1.15):
    """What cases that were timed beside a skeleton come to, a line each. `most`: what a launch is to take of its skeleton's time."""
    done = {result["case"]: (result["tokens"], 1 / best_of(result)[1]["ratio"]) for result in compared(results)}
    if not done:
        return ["nothing was compared", *_not_compared(results)]
    mean = lambda ratios: stats.geometric_mean(list(ratios))
    lines = [f"ours over a skeleton of the same launch, geometric mean of {len(done)} cases: {mean(ratio for _, ratio in done.values()):.3f}x"]
    for tokens in sorted({count for count, _ in done.values()}):
        ratios = [ratio for count, ratio in done.values() if count == tokens]
        lines.append(f"T={tokens}: {mean(ratios):.3f}x over {len(ratios)} cases, worst {max(ratios):.3f}x")
    above = [f"{case} {ratio:.3f}x" for case, (_, ratio) in done.items() if ratio > most]
    lines.append(f"cases above {most}x: {len(above)}" + "".join(f"; {case}" for case in above))
    return lines + _not_compared(results)


def _not_compared(results):
    """One line for each reason, with how many cases have it."""
    reasons = {}
    for result in results:
        if not best_of(result):
            reasons.setdefault(f"not compared: {result.get('why', 'no peer ran')}", []).append(result["case"])
        for name, peer in result["peers"].items():
            if not peer.get("ratio") and peer.get("why"):
                reasons.setdefault(f"{name} not timed: {peer['why']}", []).append(result["case"])
    return [f"{reason} ({len(cases)} cases, the first: {cases[0]})" for reason, cases in reasons.items()]


def line(result):
    """One case as a line of progress."""
    if not best_of(result):
        return f"{result['case']}: not compared: {result.get('why', 'no peer ran')}"
    parts = [f"ours {result['ours']['us']:.4g} us"]
    for name, peer in result["peers"].items():
        parts.append(f"{name} {peer['us']:.4g} = {peer['ratio']:.3f}x [{peer['ratio_low']:.3f}, {peer['ratio_high']:.3f}]" if peer.get("ratio")
                     else f"{name}: {peer.get('why', 'no time')}")
    return f"{result['case']} ({result['method']['cold_by']}): " + "; ".join(parts)


def exit_code(results):
    if any(result.get("ours_wrong") for result in results):
        return OURS_WRONG
    return DONE if compared(results) else NOTHING


def _finite(value):
    """As JSON can have it: null for what is no number."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_csv(path, results, keys):
    """Times of peers as `fusetune report --peers` reads them; `keys`: the program's key of each case. Beside the table's time of a row a
    peer has that time times the ratio that was measured here: times of two methods are not compared."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["case", "peer", "us"])
        for result in results:
            for name, peer in result["peers"].items():
                if peer.get("ratio"):
                    writer.writerow([keys[result["case"]], name, f"{peer['ratio'] * result['ours']['table_us']:.6g}"])


def write_json(path, results, about, not_run, lines):
    """`lines`: the summary."""
    document = {"format": 1, "about": about, "not_run": not_run, "summary": lines, "cases": results}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(_finite(document), file, default=str, allow_nan=False)
        file.write("\n")
