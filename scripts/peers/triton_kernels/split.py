"""Rows of the GDN projections taken apart: a program for each token, or for each token and k head or stretch of columns."""

import triton
import triton.language as tl

from . import launcher, power_of_two


@triton.jit
def _interleaved_token(qkvz, ba, mixed, z, b, a, NK: tl.constexpr, R: tl.constexpr, HK: tl.constexpr, HV: tl.constexpr,
                       NK2: tl.constexpr, HK2: tl.constexpr, HV2: tl.constexpr, NV2: tl.constexpr):
    """All k heads of one token, a tile [heads, columns] of each part at a time."""
    NV: tl.constexpr = NK * R
    GROUP: tl.constexpr = 2 * HK + 2 * R * HV
    token = tl.program_id(0).to(tl.int64)
    row = qkvz + token * (NK * GROUP)
    out = mixed + token * (2 * NK * HK + NV * HV)
    head = tl.arange(0, NK2)[:, None]
    column = tl.arange(0, HK2)[None, :]
    there = (head < NK) & (column < HK)
    q = tl.load(row + head * GROUP + column, mask=there)
    k = tl.load(row + head * GROUP + HK + column, mask=there)
    tl.store(out + head * HK + column, q, mask=there)
    tl.store(out + NK * HK + head * HK + column, k, mask=there)
    column_v = tl.arange(0, HV2)[None, :]
    there_v = (head < NK) & (column_v < HV)
    for s in tl.static_range(R):
        source = row + head * GROUP + 2 * HK + s * HV + column_v
        value = tl.load(source, mask=there_v)
        gate = tl.load(source + R * HV, mask=there_v)
        place = (head * R + s) * HV + column_v
        tl.store(out + 2 * NK * HK + place, value, mask=there_v)
        tl.store(z + token * (NV * HV) + place, gate, mask=there_v)
    i = tl.arange(0, NV2)
    from_ba = ba + token * (2 * NV) + (i // R) * (2 * R) + i % R
    tl.store(b + token * NV + i, tl.load(from_ba, mask=i < NV), mask=i < NV)
    tl.store(a + token * NV + i, tl.load(from_ba + R, mask=i < NV), mask=i < NV)


@triton.jit
def _interleaved_part(qkvz, ba, mixed, z, b, a, NK: tl.constexpr, R: tl.constexpr, HK: tl.constexpr, HV: tl.constexpr,
                      HK2: tl.constexpr, RV2: tl.constexpr, R2: tl.constexpr):
    """One k head of one token: its group of a row is one stretch, and so are its shares of the outputs."""
    NV: tl.constexpr = NK * R
    GROUP: tl.constexpr = 2 * HK + 2 * R * HV
    token = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1)
    group = qkvz + token * (NK * GROUP) + head * GROUP
    out = mixed + token * (2 * NK * HK + NV * HV)
    column = tl.arange(0, HK2)
    column_v = tl.arange(0, RV2)
    i = tl.arange(0, R2)
    from_ba = ba + token * (2 * NV) + head * (2 * R) + i
    q = tl.load(group + column, mask=column < HK)
    k = tl.load(group + HK + column, mask=column < HK)
    value = tl.load(group + 2 * HK + column_v, mask=column_v < R * HV)
    gate = tl.load(group + 2 * HK + R * HV + column_v, mask=column_v < R * HV)
    b_value = tl.load(from_ba, mask=i < R)
    a_value = tl.load(from_ba + R, mask=i < R)
    tl.store(out + head * HK + column, q, mask=column < HK)
    tl.store(out + NK * HK + head * HK + column, k, mask=column < HK)
    tl.store(out + 2 * NK * HK + head * (R * HV) + column_v, value, mask=column_v < R * HV)
    tl.store(z + token * (NV * HV) + head * (R * HV) + column_v, gate, mask=column_v < R * HV)
    tl.store(b + token * NV + head * R + i, b_value, mask=i < R)
    tl.store(a + token * NV + head * R + i, a_value, mask=i < R)


@triton.jit
def _copy_columns(row, out, gates, first, QKV: tl.constexpr, ROW: tl.constexpr, BLOCK: tl.constexpr):
    """Columns first .. first + BLOCK of [q | k | v | z]: what lies before QKV goes to `out`, the rest to `gates`."""
    column = first + tl.arange(0, BLOCK)
    held = tl.load(row + column, mask=column < ROW)
    tl.store(out + column, held, mask=column < QKV)
    tl.store(gates + column - QKV, held, mask=(column >= QKV) & (column < ROW))


@triton.jit
def _copy_ba(ba, b, a, token, NV: tl.constexpr, NV2: tl.constexpr):
    i = tl.arange(0, NV2)
    b_value = tl.load(ba + token * (2 * NV) + i, mask=i < NV)
    a_value = tl.load(ba + token * (2 * NV) + NV + i, mask=i < NV)
    tl.store(b + token * NV + i, b_value, mask=i < NV)
    tl.store(a + token * NV + i, a_value, mask=i < NV)


@triton.jit
def _contiguous_token(qkvz, ba, mixed, z, b, a, NV: tl.constexpr, QKV: tl.constexpr, ROW: tl.constexpr,
                      BLOCK: tl.constexpr, NV2: tl.constexpr):
    """One row, BLOCK columns at a time."""
    token = tl.program_id(0).to(tl.int64)
    for part in tl.static_range((ROW + BLOCK - 1) // BLOCK):
        _copy_columns(qkvz + token * ROW, mixed + token * QKV, z + token * (ROW - QKV), part * BLOCK, QKV, ROW, BLOCK)
    _copy_ba(ba, b, a, token, NV, NV2)


@triton.jit
def _contiguous_part(qkvz, ba, mixed, z, b, a, NV: tl.constexpr, QKV: tl.constexpr, ROW: tl.constexpr,
                     BLOCK: tl.constexpr, NV2: tl.constexpr):
    """BLOCK columns of one row; the first program of a row has b and a as well."""
    token = tl.program_id(0).to(tl.int64)
    part = tl.program_id(1)
    _copy_columns(qkvz + token * ROW, mixed + token * QKV, z + token * (ROW - QKV), part * BLOCK, QKV, ROW, BLOCK)
    if part == 0:
        _copy_ba(ba, b, a, token, NV, NV2)


_TENSORS = ("qkvz", "ba", "mixed_qkv", "z", "b", "a")


def per_token(case, nk, nv, hk, hv):
    if case.values["layout"] == "interleaved":
        return launcher(_interleaved_token, (case.tokens,), _TENSORS, (), 8, NK=nk, R=nv // nk, HK=hk, HV=hv, NK2=power_of_two(nk),
                        HK2=power_of_two(hk), HV2=power_of_two(hv), NV2=power_of_two(nv))
    return launcher(_contiguous_token, (case.tokens,), _TENSORS, (), 8, **_contiguous_sizes(nk, nv, hk, hv, 4096))


def per_part(case, nk, nv, hk, hv):
    ratio = nv // nk
    if case.values["layout"] == "interleaved":
        # One warp has 256 columns in accesses of 16 bytes a lane.
        warps = 1 if ratio * hv <= 256 else 2
        return launcher(_interleaved_part, (case.tokens, nk), _TENSORS, (), warps, NK=nk, R=ratio, HK=hk, HV=hv,
                        HK2=power_of_two(hk), RV2=power_of_two(ratio * hv), R2=power_of_two(ratio))
    sizes = _contiguous_sizes(nk, nv, hk, hv, 1024)
    return launcher(_contiguous_part, (case.tokens, -(-sizes["ROW"] // sizes["BLOCK"])), _TENSORS, (), 4, **sizes)


def _contiguous_sizes(nk, nv, hk, hv, block):
    qkv = 2 * nk * hk + nv * hv
    return dict(NV=nv, QKV=qkv, ROW=qkv + nv * hv, BLOCK=block, NV2=power_of_two(nv))
