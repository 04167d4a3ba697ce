"""rmsnorm_gemma: y = s * rsqrt(mean(s^2) + eps) * (1 + w); s is x, or x + residual, which is an output as well."""

import torch
import torch.nn.functional as functional

from ..abi import EPS
from ..check import Truth
from . import compiled


def _adds(case):
    return case.values["residual"] == "on"


def inputs(case, make):
    width = case.symbol("width")
    tensors = {"x": make.normal((case.tokens, width)), "weight": make.normal((width,), stddev=0.3)}
    if _adds(case):
        tensors["residual"] = make.normal((case.tokens, width), stddev=2.0)
    else:
        # For F.rms_norm, which multiplies by its weight: made ahead and rounded to bf16, as callers keep it.
        tensors["weight_plus_1"] = (tensors["weight"].float() + 1).to(torch.bfloat16)
    return tensors


def outputs(case):
    shape = ((case.tokens, case.symbol("width")), torch.bfloat16)
    return {"y": shape, "residual_out": shape} if _adds(case) else {"y": shape}


def changed(case):
    return ()


def touched_bytes(case):
    return 2 * ((4 if _adds(case) else 2) * case.tokens + 1) * case.symbol("width")


def formulation(case):
    """In plain PyTorch; the sum is rounded before it is normed."""
    def norm(s, weight):
        s32 = s.float()
        return (s32 * torch.rsqrt(s32.square().mean(-1, keepdim=True) + EPS) * (1 + weight.float())).to(s.dtype)

    def with_residual(x, residual, weight):
        s = (x.float() + residual.float()).to(x.dtype)
        return {"y": norm(s, weight), "residual_out": s}

    def alone(x, weight):
        return {"y": norm(x, weight)}

    return with_residual if _adds(case) else alone


def reference(case, t):
    truths = {}
    s = t["x"]
    if _adds(case):
        s = (s.double() + t["residual"].double()).to(torch.bfloat16)
        truths["residual_out"] = Truth("bits", s)
    s = s.double()
    truths["y"] = Truth("numbers", s / torch.sqrt(s.square().mean(-1, keepdim=True) + EPS) * (1 + t["weight"].double()))
    return truths


def _rms_norm(case):
    width = (case.symbol("width"),)

    def call(t):
        with torch.no_grad():
            return {"y": functional.rms_norm(t["x"], width, t["weight_plus_1"], EPS)}

    return call


def _row(persistent):
    def make(case):
        from ..triton_kernels import norms
        return norms.gemma_rows(case, persistent)

    return make


PEERS = {"torch.compile": lambda case: compiled(formulation(case)), "F.rms_norm": _rms_norm, "triton row": _row(False),
         "triton persistent": _row(True)}
