"""Norms of rows: gated ones of short rows, several to a program; those of whole hidden states, one to a program or in turns."""

import torch
import triton
import triton.language as tl

from ..abi import EPS
from . import launcher, power_of_two


@triton.jit(do_not_specialize=["rows"])
def _gated(x, z, weight, y, rows, eps, D: tl.constexpr, D2: tl.constexpr, ROWS: tl.constexpr):
    """ROWS rows of D elements: y = x * rsqrt(mean(x^2) + eps) * w * silu(z)."""
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    column = tl.arange(0, D2)[None, :]
    there = (row < rows) & (column < D)
    at = row * D + column
    value = tl.load(x + at, mask=there, other=0.0).to(tl.float32)
    gate = tl.load(z + at, mask=there, other=0.0).to(tl.float32)
    factor = tl.load(weight + column, mask=column < D, other=0.0).to(tl.float32)
    scale = 1.0 / tl.sqrt(tl.sum(value * value, axis=1) / D + eps)
    gated = value * scale[:, None] * factor * (gate * tl.sigmoid(gate))
    tl.store(y + at, gated.to(y.dtype.element_ty), mask=there)


@triton.jit
def _gemma_row(x, residual, factor, y, residual_out, row, eps, W: tl.constexpr, W2: tl.constexpr, RESIDUAL: tl.constexpr):
    """One row of W elements; with a residual the sum is rounded, stored, and normed as it was rounded."""
    column = tl.arange(0, W2)
    there = column < W
    at = row.to(tl.int64) * W + column
    value = tl.load(x + at, mask=there, other=0.0).to(tl.float32)
    if RESIDUAL:
        value += tl.load(residual + at, mask=there, other=0.0).to(tl.float32)
        rounded = value.to(residual_out.dtype.element_ty)
        tl.store(residual_out + at, rounded, mask=there)
        value = rounded.to(tl.float32)
    scale = 1.0 / tl.sqrt(tl.sum(value * value, axis=0) / W + eps)
    tl.store(y + at, (value * scale * factor).to(y.dtype.element_ty), mask=there)


@triton.jit
def _one_plus(weight, W: tl.constexpr, W2: tl.constexpr):
    column = tl.arange(0, W2)
    return 1.0 + tl.load(weight + column, mask=column < W, other=0.0).to(tl.float32)


@triton.jit(do_not_specialize=["rows"])
def _gemma(x, residual, weight, y, residual_out, rows, eps, W: tl.constexpr, W2: tl.constexpr, RESIDUAL: tl.constexpr):
    """A program for each row."""
    _gemma_row(x, residual, _one_plus(weight, W, W2), y, residual_out, tl.program_id(0), eps, W, W2, RESIDUAL)


@triton.jit(do_not_specialize=["rows"])
def _gemma_persistent(x, residual, weight, y, residual_out, rows, eps, W: tl.constexpr, W2: tl.constexpr, RESIDUAL: tl.constexpr):
    """Programs take rows in turns and keep the weight."""
    factor = _one_plus(weight, W, W2)
    for row in range(tl.program_id(0), rows, tl.num_programs(0)):
        _gemma_row(x, residual, factor, y, residual_out, row, eps, W, W2, RESIDUAL)


def processors():
    return torch.cuda.get_device_properties(torch.cuda.current_device()).multi_processor_count


def gated_rows(case, rows_max):
    """Up to `rows_max` rows to a program: fewer where the GPU's processors would have nothing to do."""
    heads, dim = case.symbol("heads"), case.symbol("head_dim")
    rows = case.tokens * heads
    at_once = min(rows_max, power_of_two(-(-rows // (2 * processors()))))
    warps = max(1, at_once * power_of_two(dim) // 1024)
    return launcher(_gated, (-(-rows // at_once),), ("x", "z", "weight", "y"), (rows, EPS), warps, D=dim, D2=power_of_two(dim), ROWS=at_once)


def gemma_rows(case, persistent):
    width = case.symbol("width")
    adds = case.values["residual"] == "on"
    # Without a residual its arguments are of no use: any address will do.
    names = ("x", "residual", "weight", "y", "residual_out") if adds else ("x", "x", "weight", "y", "y")
    sizes = dict(W=width, W2=power_of_two(width), RESIDUAL=adds)
    warps = min(8, max(1, sizes["W2"] // 256))
    if persistent:
        return launcher(_gemma_persistent, (min(case.tokens, 4 * processors()),), names, (case.tokens, EPS), warps, **sizes)
    return launcher(_gemma, (case.tokens,), names, (case.tokens, EPS), warps, **sizes)
