"""Rotary embedding of q and k by positions of three axes: a program for each token, or for each tile of tokens and head."""

import triton
import triton.language as tl

from . import launcher, power_of_two


@triton.jit
def angles(positions, axis_stride, table, token, frequency, HALF: tl.constexpr, HEIGHT: tl.constexpr, WIDTH: tl.constexpr):
    """(cosines, sines) in fp32 of tokens at frequencies, broadcast against each other. Height and width take every third frequency as
    long as their sections last."""
    of_height = (frequency % 3 == 1) & (frequency < 3 * HEIGHT)
    of_width = (frequency % 3 == 2) & (frequency < 3 * WIDTH)
    axis = of_height.to(tl.int32) + 2 * of_width.to(tl.int32)
    place = tl.load(positions + axis * axis_stride + token) * (2 * HALF) + frequency
    return tl.load(table + place).to(tl.float32), tl.load(table + place + HALF).to(tl.float32)


@triton.jit
def _rotate(source, target, there, cos, sin, HALF: tl.constexpr, D: tl.constexpr, D2: tl.constexpr,
            IN_PLACE: tl.constexpr):
    """Heads that begin at `source` [rows, 1]; columns from 2 * HALF on are copied, unless they are there already."""
    column = tl.arange(0, HALF)[None, :]
    low = tl.load(source + column, mask=there, other=0.0).to(tl.float32)
    high = tl.load(source + HALF + column, mask=there, other=0.0).to(tl.float32)
    if not IN_PLACE:
        all_columns = tl.arange(0, D2)[None, :]
        rest = there & (all_columns >= 2 * HALF) & (all_columns < D)
        copied = tl.load(source + all_columns, mask=rest)
        tl.store(target + all_columns, copied, mask=rest)
    tl.store(target + column, (low * cos - high * sin).to(target.dtype.element_ty), mask=there)
    tl.store(target + HALF + column, (high * cos + low * sin).to(target.dtype.element_ty), mask=there)


@triton.jit(do_not_specialize=["axis_stride"])
def _token(positions, table, q, k, q_out, k_out, axis_stride, HQ: tl.constexpr, HK: tl.constexpr, HQ2: tl.constexpr,
           HK2: tl.constexpr, HALF: tl.constexpr, D: tl.constexpr, D2: tl.constexpr, HEIGHT: tl.constexpr, WIDTH: tl.constexpr,
           IN_PLACE: tl.constexpr):
    """All heads of one token."""
    token = tl.program_id(0).to(tl.int64)
    cos, sin = angles(positions, axis_stride, table, token, tl.arange(0, HALF)[None, :], HALF, HEIGHT, WIDTH)
    head = tl.arange(0, HQ2)[:, None]
    at = token * (HQ * D) + head * D
    _rotate(q + at, q_out + at, head < HQ, cos, sin, HALF, D, D2, IN_PLACE)
    head_k = tl.arange(0, HK2)[:, None]
    at_k = token * (HK * D) + head_k * D
    _rotate(k + at_k, k_out + at_k, head_k < HK, cos, sin, HALF, D, D2, IN_PLACE)


@triton.jit(do_not_specialize=["tokens"])
def _tile(positions, table, q, k, q_out, k_out, tokens, HQ: tl.constexpr, HK: tl.constexpr, TOKENS: tl.constexpr, HALF: tl.constexpr,
          D: tl.constexpr, D2: tl.constexpr, HEIGHT: tl.constexpr, WIDTH: tl.constexpr):
    """One head of TOKENS tokens."""
    token = (tl.program_id(0).to(tl.int64) * TOKENS + tl.arange(0, TOKENS))[:, None]
    head = tl.program_id(1)
    there = token < tokens
    # Tokens that are not there take the angles of the last one.
    cos, sin = angles(positions, tokens, table, tl.minimum(token, tokens - 1), tl.arange(0, HALF)[None, :], HALF, HEIGHT, WIDTH)
    if head < HQ:
        at = token * (HQ * D) + head * D
        _rotate(q + at, q_out + at, there, cos, sin, HALF, D, D2, False)
    else:
        at_k = token * (HK * D) + (head - HQ) * D
        _rotate(k + at_k, k_out + at_k, there, cos, sin, HALF, D, D2, False)


def _sizes(case):
    half = case.symbol("rotary_dim") // 2
    if half != power_of_two(half):
        raise ValueError("half of rotary_dim is no power of two")
    return dict(HQ=case.symbol("q_heads"), HK=case.symbol("kv_heads"), HALF=half, D=case.symbol("head_dim"),
                D2=power_of_two(case.symbol("head_dim")), HEIGHT=case.symbol("mrope_height"), WIDTH=case.symbol("mrope_width"))


def per_token(case):
    sizes = _sizes(case)
    in_place = case.values["in_place"] == "on"
    names = ("q_inout", "k_inout", "q_inout", "k_inout") if in_place else ("q", "k", "q_out", "k_out")
    return launcher(_token, (case.tokens,), ("positions_thw", "cos_sin", *names), (case.tokens,), 4, HQ2=power_of_two(sizes["HQ"]),
                    HK2=power_of_two(sizes["HK"]), IN_PLACE=in_place, **sizes)


def per_tile(case):
    """Tiles of 16 tokens from 128 on, as long as the GPU has work enough."""
    sizes = _sizes(case)
    tokens = 16 if case.tokens >= 128 else 1
    return launcher(_tile, (-(-case.tokens // tokens), sizes["HQ"] + sizes["HK"]), ("positions_thw", "cos_sin", "q", "k", "q_out", "k_out"),
                    (case.tokens,), 4 if tokens > 1 else 1, TOKENS=tokens, **sizes)
