"""mrope: the first elements of every head of q and k, rotated by positions of time, height and width; in place or not."""

import torch

from ..check import Truth
from . import compiled


def _in_place(case):
    return case.values["in_place"] == "on"


def _names(case):
    """Of q and k as they are read, and as they are written."""
    return (("q_inout", "k_inout"),) * 2 if _in_place(case) else (("q", "k"), ("q_out", "k_out"))


def _shapes(case):
    return [(case.tokens, case.symbol(heads), case.symbol("head_dim")) for heads in ("q_heads", "kv_heads")]


def inputs(case, make):
    tensors = {"positions_thw": make.positions(3, case.tokens, case.symbol("max_position")),
               "cos_sin": make.angles(case.symbol("max_position"), case.symbol("rotary_dim")),
               # For the formulation in PyTorch: the axis of each frequency.
               "axes": torch.tensor(axes(case), device=make.device)}
    tensors.update({name: make.normal(shape) for name, shape in zip(_names(case)[0], _shapes(case))})
    return tensors


def outputs(case):
    return {} if _in_place(case) else {name: (shape, torch.bfloat16) for name, shape in zip(_names(case)[1], _shapes(case))}


def changed(case):
    return _names(case)[0] if _in_place(case) else ()


def touched_bytes(case):
    heads = case.symbol("q_heads") + case.symbol("kv_heads")
    columns = case.symbol("rotary_dim") if _in_place(case) else case.symbol("head_dim")
    table_rows = min(case.tokens, case.symbol("max_position"))
    return 2 * 2 * case.tokens * heads * columns + 3 * 8 * case.tokens + 2 * table_rows * case.symbol("rotary_dim")


def axes(case):
    """The axis of each frequency: height and width take every third as long as their sections last."""
    rule = [0] * (case.symbol("rotary_dim") // 2)
    for axis, section in ((1, "mrope_height"), (2, "mrope_width")):
        for i in range(case.symbol(section)):
            rule[3 * i + axis] = axis
    return rule


def formulation(case):
    """In plain PyTorch: the angles gathered, products in fp32, one cast."""
    half = case.symbol("rotary_dim") // 2

    def cosines(positions_thw, cos_sin, axes):
        rows = positions_thw[axes].t()  # [tokens, half]
        frequency = torch.arange(half, device=rows.device)
        return cos_sin[rows, frequency].float()[:, None], cos_sin[rows, half + frequency].float()[:, None]

    def rotated(x, cos, sin):
        low, high = x[..., :half].float(), x[..., half:2 * half].float()
        return (low * cos - high * sin).to(x.dtype), (high * cos + low * sin).to(x.dtype)

    def out_of_place(positions_thw, cos_sin, axes, q, k):
        cos, sin = cosines(positions_thw, cos_sin, axes)
        return {name: torch.cat([*rotated(x, cos, sin), x[..., 2 * half:]], -1) for name, x in (("q_out", q), ("k_out", k))}

    def in_place(positions_thw, cos_sin, axes, q_inout, k_inout):
        cos, sin = cosines(positions_thw, cos_sin, axes)
        for x in (q_inout, k_inout):
            x[..., :2 * half] = torch.cat(rotated(x, cos, sin), -1)

    return in_place if _in_place(case) else out_of_place


def reference(case, t):
    half = case.symbol("rotary_dim") // 2
    cos, sin = (torch.empty((case.tokens, 1, half), dtype=torch.float64, device=t["cos_sin"].device) for _ in range(2))
    for i, axis in enumerate(axes(case)):
        rows = t["positions_thw"][axis]
        cos[:, 0, i], sin[:, 0, i] = t["cos_sin"][rows, i].double(), t["cos_sin"][rows, half + i].double()
    truths = {}
    for source, target in zip(*_names(case)):
        x = t[source].double()
        low, high = x[..., :half], x[..., half:2 * half]
        truths[target] = Truth("numbers", torch.cat([low * cos - high * sin, high * cos + low * sin, x[..., 2 * half:]], -1))
    return truths


def _token(case):
    from ..triton_kernels import rope
    return rope.per_token(case)


def _tile(case):
    from ..triton_kernels import rope
    return rope.per_tile(case)


PEERS = {"torch.compile": lambda case: compiled(formulation(case)), "triton token": _token, "triton token x head": _tile}
