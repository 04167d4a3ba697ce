"""Compares what a peer gave with a reference in fp64: bit for bit, as rounded numbers, or as codes."""

import dataclasses

import torch


@dataclasses.dataclass(frozen=True)
class Truth:
    """What a tensor must hold. kind: "bits" (`value` has the tensor's type), "numbers" or "codes" (`value` in fp64, before it is rounded)."""

    kind: str
    value: torch.Tensor
    kept: torch.Tensor = None  # [rows] bool: rows that nothing may write, the same as in `held` to the bit
    held: torch.Tensor = None  # as before the launch, in the shape of `value`


def error_of(got, truth):
    """(message or None, largest error over the root mean square of its row or over the code's step)."""
    if truth.kind == "bits":
        wrong = int((_bits(got) != _bits(truth.value)).sum())
        return (f"{wrong} of {got.numel()} elements differ" if wrong else None), float(wrong > 0)
    if truth.kept is not None and not torch.equal(_bits(got)[truth.kept], _bits(truth.held)[truth.kept]):
        return "slots changed that are no token's", 1.0
    rows = slice(None) if truth.kept is None else ~truth.kept
    want = truth.value if truth.kept is None else truth.value[rows]
    # fp8 numbers have no indexing of their own.
    have = (got.view(torch.float8_e4m3fn) if truth.kind == "codes" else got).to(torch.float64)[rows]
    if not bool(torch.isfinite(have).all()):
        return "what is not finite, or was not written", float("inf")
    limit, scale = _limits(want, truth.kind)
    error = (have - want).abs()
    worst = float((error / scale).max()) if error.numel() else 0.0
    over = int((error > limit).sum())
    return (f"{over} of {want.numel()} elements are off, by up to {worst:.3g}" if over else None), worst


def _limits(want, kind):
    """Of the error, per element, and what errors are told in. Peers round between norm and rotation or do not: of a row's own size, not
    of the element's. A wrong element is off by as much as a row's elements differ."""
    size = want.square().mean(-1, keepdim=True).sqrt().clamp_min(1e-30)
    if kind == "codes":
        # Half a step of a code is a sixteenth of it, and what is coded may lie one bf16 further.
        return want.abs() / 8 + 2.0**-8 + 0.02 * size, size
    return want.abs() / 64 + 0.02 * size, size


def _bits(tensor):
    return tensor.contiguous().view({1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.element_size()])


def check(tensors, truths):
    """(message or None, largest error) of all tensors of a set."""
    worst = 0.0
    for name, truth in truths.items():
        got = tensors[name]
        if truth.kind != "bits" and tuple(got.shape) != tuple(truth.value.shape):
            got = got.reshape(truth.value.shape)
        message, error = error_of(got, truth)
        worst = max(worst, error)
        if message:
            return f"{name}: {message}", worst
    return None, worst
