"""split_reshape_cat: rows of qkvz and ba become mixed_qkv, z, b and a, bit for bit."""

import torch

from ..check import Truth
from . import compiled


def _sizes(case):
    """(nk, nv, hk, hv)"""
    return tuple(case.symbol(name) for name in ("nk", "nv", "hk", "hv"))


def inputs(case, make):
    nk, nv, hk, hv = _sizes(case)
    return {"qkvz": make.normal((case.tokens, 2 * nk * hk + 2 * nv * hv)), "ba": make.normal((case.tokens, 2 * nv))}


def outputs(case):
    nk, nv, hk, hv = _sizes(case)
    tokens, bf16 = case.tokens, torch.bfloat16
    return {"mixed_qkv": ((tokens, 2 * nk * hk + nv * hv), bf16), "z": ((tokens, nv, hv), bf16), "b": ((tokens, nv), bf16),
            "a": ((tokens, nv), bf16)}


def changed(case):
    return ()


def touched_bytes(case):
    nk, nv, hk, hv = _sizes(case)
    return 2 * 2 * case.tokens * (2 * nk * hk + 2 * nv * hv + 2 * nv)


def formulation(case):
    """In plain PyTorch. Copies where a view would do: consumers of the other peers get dense rows, so do those of this one."""
    nk, nv, hk, hv = _sizes(case)
    ratio = nv // nk

    def interleaved(qkvz, ba):
        tokens = qkvz.shape[0]
        q, k, v, z = torch.split(qkvz.view(tokens, nk, -1), [hk, hk, ratio * hv, ratio * hv], dim=2)
        b, a = torch.split(ba.view(tokens, nk, 2 * ratio), [ratio, ratio], dim=2)
        return {"mixed_qkv": torch.cat([part.reshape(tokens, -1) for part in (q, k, v)], dim=1),
                "z": z.reshape(tokens, nv, hv).contiguous(), "b": b.reshape(tokens, nv).contiguous(),
                "a": a.reshape(tokens, nv).contiguous()}

    def contiguous(qkvz, ba):
        tokens, width = qkvz.shape[0], 2 * nk * hk + nv * hv
        dense = lambda columns: columns.clone(memory_format=torch.contiguous_format)
        return {"mixed_qkv": dense(qkvz[:, :width]), "z": dense(qkvz[:, width:].view(tokens, nv, hv)), "b": dense(ba[:, :nv]),
                "a": dense(ba[:, nv:])}

    return interleaved if case.values["layout"] == "interleaved" else contiguous


def reference(case, t):
    """By an index of every output column into the row: written apart from the formulation above."""
    nk, nv, hk, hv = _sizes(case)
    ratio = nv // nk
    device = t["qkvz"].device
    heads = torch.arange(nk, device=device)[:, None]
    if case.values["layout"] == "interleaved":
        group = 2 * hk + 2 * ratio * hv
        columns = lambda first, count: (heads * group + first + torch.arange(count, device=device)).flatten()
        q, k, v, z = columns(0, hk), columns(hk, hk), columns(2 * hk, ratio * hv), columns(2 * hk + ratio * hv, ratio * hv)
        of_ba = lambda first: (heads * 2 * ratio + first + torch.arange(ratio, device=device)).flatten()
        b, a = of_ba(0), of_ba(ratio)
        mixed = torch.cat([q, k, v])
    else:
        width = 2 * nk * hk + nv * hv
        mixed, z = torch.arange(width, device=device), torch.arange(width, width + nv * hv, device=device)
        b, a = torch.arange(nv, device=device), torch.arange(nv, 2 * nv, device=device)
    z_rows = t["qkvz"].index_select(1, z).view(-1, nv, hv)
    return {"mixed_qkv": Truth("bits", t["qkvz"].index_select(1, mixed)), "z": Truth("bits", z_rows),
            "b": Truth("bits", t["ba"].index_select(1, b)), "a": Truth("bits", t["ba"].index_select(1, a))}


def _token(case):
    from ..triton_kernels import split
    return split.per_token(case, *_sizes(case))


def _part(case):
    from ..triton_kernels import split
    return split.per_part(case, *_sizes(case))


PEERS = {"torch.compile": lambda case: compiled(formulation(case)), "triton token": _token, "triton token x part": _part}
