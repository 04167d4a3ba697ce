"""The front of attention: q and k normed per head, rotated, k and v into the paged cache as bf16 or fp8 codes. A program for each token, or
for each token and head. Heads that are worked on together are rows of tiles; of a head there are three parts: the two halves of the rotated
columns, and the rest, in a tile of all columns."""

import triton
import triton.language as tl

from ..abi import EPS
from . import launcher, power_of_two


@triton.jit
def _normed(source, weight, there, eps, HALF: tl.constexpr, D: tl.constexpr, D2: tl.constexpr):
    """Heads at `source` [heads, 1] times rsqrt(mean(x^2) + eps) * (1 + w), rounded as they would be stored, in fp32."""
    column = tl.arange(0, HALF)[None, :]
    every = tl.arange(0, D2)[None, :]
    rest = (every >= 2 * HALF) & (every < D)
    low = tl.load(source + column, mask=there, other=0.0).to(tl.float32)
    high = tl.load(source + HALF + column, mask=there, other=0.0).to(tl.float32)
    tail = tl.load(source + every, mask=there & rest, other=0.0).to(tl.float32)
    squares = tl.sum(low * low, axis=1) + tl.sum(high * high, axis=1) + tl.sum(tail * tail, axis=1)
    scale = (1.0 / tl.sqrt(squares / D + eps))[:, None]
    low *= scale * (1.0 + tl.load(weight + column).to(tl.float32))
    high *= scale * (1.0 + tl.load(weight + HALF + column).to(tl.float32))
    tail *= scale * (1.0 + tl.load(weight + every, mask=rest, other=0.0).to(tl.float32))
    kind = source.dtype.element_ty
    return low.to(kind).to(tl.float32), high.to(kind).to(tl.float32), tail.to(kind).to(tl.float32)


@triton.jit
def _write(target, low, high, tail, there, HALF: tl.constexpr, D: tl.constexpr, D2: tl.constexpr):
    """Three parts of heads, in the type of `target` [heads, 1]."""
    column = tl.arange(0, HALF)[None, :]
    every = tl.arange(0, D2)[None, :]
    kind = target.dtype.element_ty
    tl.store(target + column, low.to(kind), mask=there)
    tl.store(target + HALF + column, high.to(kind), mask=there)
    tl.store(target + every, tail.to(kind), mask=there & (every >= 2 * HALF) & (every < D))


@triton.jit
def _code(value, scale):
    """The byte of an fp8 code of value / scale."""
    bounded = tl.minimum(tl.maximum(value / scale, -448.0), 448.0)
    return bounded.to(tl.float8e4nv).to(tl.uint8, bitcast=True)


@triton.jit
def _query(token, head, there, q, weight, q_out, cos, sin, eps, HQ: tl.constexpr, STEP: tl.constexpr, HALF: tl.constexpr, D: tl.constexpr,
           D2: tl.constexpr):
    low, high, tail = _normed(q + token * (HQ * STEP) + head * STEP, weight, there, eps, HALF, D, D2)
    _write(q_out + token * (HQ * D) + head * D, low * cos - high * sin, high * cos + low * sin, tail, there, HALF, D, D2)


@triton.jit
def _key(token, head, there, slot, k, weight, k_out, cache, scale, cos, sin, eps, HK: tl.constexpr, PAGE: tl.constexpr, QUANT: tl.constexpr,
         HALF: tl.constexpr, D: tl.constexpr, D2: tl.constexpr):
    at = token * (HK * D) + head * D
    low, high, tail = _normed(k + at, weight, there, eps, HALF, D, D2)
    kind = k.dtype.element_ty
    first = (low * cos - high * sin).to(kind)
    second = (high * cos + low * sin).to(kind)
    _write(k_out + at, first, second, tail, there, HALF, D, D2)
    place = cache + (slot // PAGE) * (PAGE * HK * D) + (slot % PAGE) * (HK * D) + head * D
    has_slot = there & (slot >= 0)
    if QUANT:
        by = tl.load(scale)
        _write(place, _code(first.to(tl.float32), by), _code(second.to(tl.float32), by), _code(tail, by), has_slot, HALF, D, D2)
    else:
        _write(place, first, second, tail, has_slot, HALF, D, D2)


@triton.jit
def _value(token, head, there, slot, v, cache, scale, HK: tl.constexpr, PAGE: tl.constexpr, QUANT: tl.constexpr, D: tl.constexpr,
           D2: tl.constexpr):
    every = tl.arange(0, D2)[None, :]
    inside = there & (slot >= 0) & (every < D)
    row = tl.load(v + token * (HK * D) + head * D + every, mask=inside, other=0.0)
    place = cache + (slot // PAGE) * (PAGE * HK * D) + (slot % PAGE) * (HK * D) + head * D + every
    if QUANT:
        tl.store(place, _code(row.to(tl.float32), tl.load(scale)), mask=inside)
    else:
        tl.store(place, row, mask=inside)


@triton.jit
def _angles(positions, table, token, HALF: tl.constexpr):
    """(cosines, sines) [1, HALF] of a token."""
    place = tl.load(positions + token) * (2 * HALF) + tl.arange(0, HALF)[None, :]
    return tl.load(table + place).to(tl.float32), tl.load(table + place + HALF).to(tl.float32)


@triton.jit
def _token(q, k, v, q_weight, k_weight, positions, table, slots, k_scale, v_scale, q_out, k_out, k_cache, v_cache, eps, HQ: tl.constexpr,
           HK: tl.constexpr, HQ2: tl.constexpr, HK2: tl.constexpr, STEP: tl.constexpr, PAGE: tl.constexpr, QUANT: tl.constexpr,
           HALF: tl.constexpr, D: tl.constexpr, D2: tl.constexpr):
    """All heads of one token."""
    token = tl.program_id(0).to(tl.int64)
    slot = tl.load(slots + token)
    cos, sin = _angles(positions, table, token, HALF)
    head = tl.arange(0, HQ2)[:, None]
    _query(token, head, head < HQ, q, q_weight, q_out, cos, sin, eps, HQ, STEP, HALF, D, D2)
    head_k = tl.arange(0, HK2)[:, None]
    _key(token, head_k, head_k < HK, slot, k, k_weight, k_out, k_cache, k_scale, cos, sin, eps, HK, PAGE, QUANT, HALF, D, D2)
    _value(token, head_k, head_k < HK, slot, v, v_cache, v_scale, HK, PAGE, QUANT, D, D2)


@triton.jit
def _head(q, k, v, q_weight, k_weight, positions, table, slots, k_scale, v_scale, q_out, k_out, k_cache, v_cache, eps, HQ: tl.constexpr,
          HK: tl.constexpr, STEP: tl.constexpr, PAGE: tl.constexpr, QUANT: tl.constexpr, HALF: tl.constexpr, D: tl.constexpr, D2: tl.constexpr):
    """One head of one token: of q, then of k, then of v."""
    token = tl.program_id(0).to(tl.int64)
    which = tl.program_id(1)
    one = tl.arange(0, 1)[:, None]
    if which < HQ:
        cos, sin = _angles(positions, table, token, HALF)
        _query(token, which + one, one < 1, q, q_weight, q_out, cos, sin, eps, HQ, STEP, HALF, D, D2)
    elif which < HQ + HK:
        cos_k, sin_k = _angles(positions, table, token, HALF)
        _key(token, which - HQ + one, one < 1, tl.load(slots + token), k, k_weight, k_out, k_cache, k_scale, cos_k, sin_k, eps, HK, PAGE, QUANT,
             HALF, D, D2)
    else:
        _value(token, which - HQ - HK + one, one < 1, tl.load(slots + token), v, v_cache, v_scale, HK, PAGE, QUANT, D, D2)


def _arguments(case):
    """(tensors, sizes) of both kernels."""
    dim, half = case.symbol("head_dim"), case.symbol("rotary_dim") // 2
    if half != power_of_two(half):
        raise ValueError("half of rotary_dim is no power of two")
    gated, quant = case.values["gated"] == "on", case.values["quant"] != "none"
    # Without codes the scales are of no use: any address will do.
    scales = ("k_tensor_scale", "v_tensor_scale") if quant else ("k_weight", "k_weight")
    caches = ("k_codes", "v_codes") if quant else ("k_cache", "v_cache")
    names = ("q_gated" if gated else "q", "k", "v", "q_weight", "k_weight", "positions", "cos_sin", "slots", *scales, "q_out", "k_out", *caches)
    sizes = dict(HQ=case.symbol("hq"), HK=case.symbol("hk"), STEP=2 * dim if gated else dim, PAGE=case.symbol("page_size"), QUANT=quant,
                 HALF=half, D=dim, D2=power_of_two(dim))
    return names, sizes


def per_token(case):
    names, sizes = _arguments(case)
    return launcher(_token, (case.tokens,), names, (EPS,), 4, HQ2=power_of_two(sizes["HQ"]), HK2=power_of_two(sizes["HK"]), **sizes)


def per_head(case):
    names, sizes = _arguments(case)
    return launcher(_head, (case.tokens, sizes["HQ"] + 2 * sizes["HK"]), names, (EPS,), 1, **sizes)
