"""Statistics of interleaved rounds: epochs are the independent unit, ratios are means of logs. Without torch."""

import math
import statistics

# Quantile 0.975 of Student's t by degrees of freedom.
_T = (0, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110,
      2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)


def t_quantile(degrees):
    return _T[degrees] if degrees < len(_T) else 1.96


def interval(values):
    """(mean, low, high) of the 95 % t interval; of one value alone an interval without ends."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, -math.inf, math.inf
    half = t_quantile(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half


def ratio_of(epochs):
    """(ratio, low, high) of b over a. `epochs`: a list of rounds each; a round: (times of a, times of b) in microseconds.

    A round's value is the mean of log b less that of log a, so that a linear drift within an ABBA round cancels; an epoch's is
    the median of its rounds.
    """
    logs = []
    for rounds in epochs:
        logs.append(statistics.median(
            statistics.fmean(map(math.log, b)) - statistics.fmean(map(math.log, a)) for a, b in rounds))
    return tuple(math.exp(value) if math.isfinite(value) else (0.0 if value < 0 else math.inf) for value in interval(logs))


def time_of(epochs):
    """Median over epochs of the medians of an epoch's samples, microseconds."""
    return statistics.median(statistics.median(samples) for samples in epochs)


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))
