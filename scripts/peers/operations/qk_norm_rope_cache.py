"""qk_norm_rope_cache: q and k normed per head with 1 + w, rounded, rotated; k and v into a paged cache [blocks, page, heads, columns]."""

import torch

from ..abi import EPS
from ..check import Truth
from . import compiled


def _quantised(case):
    return case.values["quant"] != "none"


def _names(case):
    """Of q, and of the caches of k and v."""
    q = "q_gated" if case.values["gated"] == "on" else "q"
    return (q, "k_codes", "v_codes") if _quantised(case) else (q, "k_cache", "v_cache")


def inputs(case, make):
    tokens, dim, hk = case.tokens, case.symbol("head_dim"), case.symbol("hk")
    blocks, page = case.symbol("num_blocks"), case.symbol("page_size")
    q, k_cache, v_cache = _names(case)
    q_columns = 2 * dim if q == "q_gated" else dim
    tensors = {q: make.normal((tokens, case.symbol("hq"), q_columns)), "k": make.normal((tokens, hk, dim)), "v": make.normal((tokens, hk, dim)),
               "q_weight": make.normal((dim,), mean=0.3, stddev=0.5), "k_weight": make.normal((dim,), mean=0.3, stddev=0.5),
               "positions": make.positions(1, tokens, case.symbol("max_position")),
               "cos_sin": make.angles(case.symbol("max_position"), case.symbol("rotary_dim")), "slots": make.slots(tokens, blocks, page)}
    cache = (blocks, page, hk, dim)
    for name, scale in ((k_cache, 0.03), (v_cache, 0.02)):
        if _quantised(case):
            # Bytes of which none is the code of a NaN.
            tensors[name] = make.integers(cache, 0, 127, torch.uint8)
            tensors[name[0] + "_tensor_scale"] = torch.full((1,), scale, device=make.device)
        else:
            tensors[name] = make.normal(cache, stddev=3.0)
    return tensors


def outputs(case):
    shape = lambda heads: ((case.tokens, case.symbol(heads), case.symbol("head_dim")), torch.bfloat16)
    return {"q_out": shape("hq"), "k_out": shape("hk")}


def changed(case):
    return _names(case)[1:]


def touched_bytes(case):
    row = case.tokens * case.symbol("head_dim")
    hq, hk = case.symbol("hq"), case.symbol("hk")
    cache = 2 * hk * row * (1 if _quantised(case) else 2)
    table_rows = min(case.tokens, case.symbol("max_position"))
    return 2 * row * (2 * hq + 3 * hk) + cache + 16 * case.tokens + 2 * table_rows * case.symbol("rotary_dim")


def formulation(case):
    """In plain PyTorch, as an unfused model has it: norm, rotation, two writes by slots."""
    half, dim = case.symbol("rotary_dim") // 2, case.symbol("head_dim")

    def normed(x, weight):
        x32 = x.float()
        return (x32 * torch.rsqrt(x32.square().mean(-1, keepdim=True) + EPS) * (1 + weight.float())).to(x.dtype)

    def rotated(x, cos, sin):
        low, high = x[..., :half].float(), x[..., half:2 * half].float()
        return torch.cat([(low * cos - high * sin).to(x.dtype), (high * cos + low * sin).to(x.dtype), x[..., 2 * half:]], -1)

    def heads(q, k, q_weight, k_weight, positions, cos_sin):
        row = cos_sin[positions[0]].float()[:, None]
        cos, sin = row[..., :half], row[..., half:]
        return rotated(normed(q[..., :dim], q_weight), cos, sin), rotated(normed(k, k_weight), cos, sin)

    def write(cache, slots, rows):
        cache.view(-1, *cache.shape[2:])[slots] = rows

    def codes(x, scale):
        return (x.float() / scale).clamp(-448, 448).to(torch.float8_e4m3fn).view(torch.uint8)

    def plain(q, k, v, q_weight, k_weight, positions, cos_sin, slots, k_cache, v_cache):
        q_out, k_out = heads(q, k, q_weight, k_weight, positions, cos_sin)
        write(k_cache, slots, k_out)
        write(v_cache, slots, v)
        return {"q_out": q_out, "k_out": k_out}

    def gated(q_gated, k, v, q_weight, k_weight, positions, cos_sin, slots, k_cache, v_cache):
        return plain(q_gated, k, v, q_weight, k_weight, positions, cos_sin, slots, k_cache, v_cache)

    def quantised(q, k, v, q_weight, k_weight, positions, cos_sin, slots, k_tensor_scale, v_tensor_scale, k_codes, v_codes):
        q_out, k_out = heads(q, k, q_weight, k_weight, positions, cos_sin)
        write(k_codes, slots, codes(k_out, k_tensor_scale))
        write(v_codes, slots, codes(v, v_tensor_scale))
        return {"q_out": q_out, "k_out": k_out}

    return quantised if _quantised(case) else gated if case.values["gated"] == "on" else plain


def reference(case, t):
    half, dim = case.symbol("rotary_dim") // 2, case.symbol("head_dim")
    q, k_cache, v_cache = _names(case)
    angles = t["cos_sin"].double().index_select(0, t["positions"][0])
    cos, sin = angles[:, None, :half], angles[:, None, half:]

    def head(x, weight):
        x = x.double()
        x = x / torch.sqrt(x.square().mean(-1, keepdim=True) + EPS) * (1 + weight.double())
        x = x.to(torch.bfloat16).double()
        low, high = x[..., :half], x[..., half:2 * half]
        return torch.cat([low * cos - high * sin, high * cos + low * sin, x[..., 2 * half:]], -1)

    k_out = head(t["k"], t["k_weight"])
    truths = {"q_out": Truth("numbers", head(t[q][..., :dim], t["q_weight"])), "k_out": Truth("numbers", k_out)}
    rows = k_out.to(torch.bfloat16)
    truths[k_cache] = _cache(case, t, k_cache, rows if _quantised(case) else k_out)
    truths[v_cache] = _cache(case, t, v_cache, t["v"])
    return truths


def _cache(case, t, name, rows):
    """A cache whose slots hold `rows`, [slots, heads, columns], and are as before elsewhere. What is not quantised of v is the same to the bit."""
    held = t[name].view(-1, *t[name].shape[2:])
    if name == "v_cache":
        value = held.clone()
        value[t["slots"]] = rows
        return Truth("bits", value.view(t[name].shape))
    kept = torch.ones(held.shape[0], dtype=torch.bool, device=held.device)
    kept[t["slots"]] = False
    value = torch.zeros(held.shape, dtype=torch.float64, device=held.device)
    value[t["slots"]] = rows.double() / (t[name[0] + "_tensor_scale"].double() if _quantised(case) else 1)
    return Truth("codes" if _quantised(case) else "numbers", value, kept, held.clone())


def _token(case):
    from ..triton_kernels import front
    return front.per_token(case)


def _head(case):
    from ..triton_kernels import front
    return front.per_head(case)


PEERS = {"torch.compile": lambda case: compiled(formulation(case)), "triton token": _token, "triton token x head": _head}
