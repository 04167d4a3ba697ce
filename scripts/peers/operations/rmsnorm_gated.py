"""rmsnorm_gated: per head of v, y = x * rsqrt(mean(x^2) + eps) * w * silu(z)."""

import torch
import torch.nn.functional as functional

from ..abi import EPS
from ..check import Truth
from . import compiled


def inputs(case, make):
    shape = (case.tokens, case.symbol("heads"), case.symbol("head_dim"))
    return {"x": make.normal(shape), "z": make.normal(shape, stddev=2.0), "weight": make.normal(shape[2:], mean=1.0, stddev=0.4)}


def outputs(case):
    return {"y": ((case.tokens, case.symbol("heads"), case.symbol("head_dim")), torch.bfloat16)}


def changed(case):
    return ()


def touched_bytes(case):
    return 2 * (3 * case.tokens * case.symbol("heads") + 1) * case.symbol("head_dim")


def formulation(case):
    """In plain PyTorch: all in fp32, one cast at the end."""
    def gated_norm(x, z, weight):
        x32 = x.float()
        normed = x32 * torch.rsqrt(x32.square().mean(-1, keepdim=True) + EPS) * weight.float()
        return {"y": (normed * functional.silu(z.float())).to(x.dtype)}

    return gated_norm


def reference(case, t):
    x, z, weight = (t[name].double() for name in ("x", "z", "weight"))
    return {"y": Truth("numbers", x / torch.sqrt(x.square().mean(-1, keepdim=True) + EPS) * weight * z / (1 + torch.exp(-z)))}


def _rows(count):
    def make(case):
        from ..triton_kernels import norms
        return norms.gated_rows(case, count)

    return make


PEERS = {"torch.compile": lambda case: compiled(formulation(case)), "triton 4 rows": _rows(4), "triton 32 rows": _rows(32)}
