"""What is compared: families, shapes, token counts and, for each, the peers that do all of its work. Without torch."""

import dataclasses

TOKENS = (1, 16, 128, 1024, 8192, 32768)

# What the rows of a table must say besides the symbols and options of a case: the options that the peers implement.
COMMON = {
    "split_reshape_cat": {"hk": 128, "hv": 128, "zero_fill": "off"},
    "rmsnorm_gated": {"head_dim": 128, "norm_group": 128, "norm_before_gate": "on", "activation": "silu", "bias": "off",
                      "mid_rounding": "off", "quant": "none"},
    "rmsnorm_gemma": {"weight_form": "one_plus", "residual_rounding": "before_norm", "mid_rounding": "off", "quant": "none"},
    "mrope": {"head_dim": 256, "rotary_dim": 64, "mrope": "interleaved", "mrope_time": 12, "mrope_height": 10,
              "mrope_width": 10, "pairs": "neox", "gate": "off", "table_layout": "packed", "product_rounding": "off"},
    "qk_norm_rope_cache": {"head_dim": 256, "rotary_dim": 64, "norm": "one_plus", "mid_rounding": "on", "rope": "neox",
                           "mrope": "none", "table_layout": "packed", "cache": "nhd", "k_out": "on", "v_out": "off",
                           "quant_source": "rounded", "quant_op": "divide"},
}
# By type name of the families: what else a row has is of no interest to a case.
DTYPES = {"act": "bf16", "ba": "bf16", "weight": "bf16", "table": "bf16", "stream": "bf16", "index": "i64"}

# Peers by family; each stands for a way in which public libraries do it.
PEERS = {
    "split_reshape_cat": ("torch.compile", "triton token", "triton token x part"),
    "rmsnorm_gated": ("torch.compile", "triton 4 rows", "triton 32 rows"),
    "rmsnorm_gemma": ("torch.compile", "F.rms_norm", "triton row", "triton persistent"),
    "mrope": ("torch.compile", "triton token", "triton token x head"),
    "qk_norm_rope_cache": ("torch.compile", "triton token", "triton token x head"),
}
# Those that some cases have no use for, and why.
NOT_FOR = {
    ("rmsnorm_gemma", "F.rms_norm"): (lambda c: c.values["residual"] == "on", "adds no residual"),
    ("mrope", "triton token x head"): (lambda c: c.values["in_place"] == "on", "is an out-of-place kernel"),
}
# Not run at all: they are not installed where this runs, and their kernels are not copied here. The Triton kernels of this folder have the same
# mapping of work as the named ones.
NOT_RUN = {
    "aiter": "not installed; prefill split and q/k norm kernels stand as 'triton token' and 'triton token x head'",
    "ATOM": "not installed; its norms, chunk split and mrope stand as 'triton persistent', 'triton token x part', 'triton token x head'",
    "flashinfer": "not installed; its norms are CUDA kernels of one block per row, as 'triton row'",
    "flash-linear-attention, sglang": "not installed; gated norms and splits stand as 'triton 32 rows', 'triton 4 rows', 'triton token x part'",
    "vllm": "not installed; its mrope and gated norm stand as 'triton token' and 'triton 4 rows'",
    "vllm-ascend": "not installed; its looping split never led on such a GPU",
    "torch eager": "several launches for each operation: never the best where torch.compile runs",
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One family at one shape and token count. `values`: symbols and options; `runtime`: symbols that no kernel is compiled for."""

    family: str
    shape: str  # as tables print it: "Hk16/Hv32 interleaved"
    tokens: int
    values: dict
    runtime: dict

    @property
    def key(self):
        return f"{self.family} {self.shape} T={self.tokens}"

    @property
    def program_key(self):
        """The case as fusetune takes it."""
        parts = {**self.wanted, **self.runtime, "tokens": self.tokens}
        return f"{self.family}({','.join(f'{name}={value}' for name, value in sorted(parts.items()))})"

    @property
    def wanted(self):
        """All that a row of the table must say."""
        return {**COMMON[self.family], **self.values}

    def symbol(self, name):
        return self.tokens if name == "tokens" else {**self.wanted, **self.runtime}[name]

    def peers(self):
        """Names of the peers that can do it."""
        return [name for name in PEERS[self.family] if self.why_not(name) is None]

    def why_not(self, peer):
        excluded, why = NOT_FOR.get((self.family, peer), (lambda c: False, None))
        return why if excluded(self) else None


def _shapes():
    """(family, shape, values, runtime) of every row of the comparison; configs/sweeps/h200-peers.yaml tunes the same ones."""
    for layout in ("interleaved", "contiguous"):
        for nv in (32, 48, 64):
            yield "split_reshape_cat", f"{layout} Hk16/Hv{nv}", {"nk": 16, "nv": nv, "layout": layout}, {}
    for heads in (32, 64):
        yield "rmsnorm_gated", f"Hv{heads}", {"heads": heads}, {}
    for residual in ("off", "on"):
        for width in (2048, 4096, 5120):
            shape = f"W{width}" + (" + residual" if residual == "on" else "")
            yield "rmsnorm_gemma", shape, {"width": width, "residual": residual}, {}
    for in_place in ("off", "on"):
        for q_heads, kv_heads in ((16, 2), (24, 4), (32, 2)):
            shape = f"q{q_heads}/kv{kv_heads}" + (" in place" if in_place == "on" else "")
            yield ("mrope", shape, {"q_heads": q_heads, "kv_heads": kv_heads, "in_place": in_place},
                   {"max_position": 32768})
    for quant, name in (("none", "bf16"), ("per_tensor", "fp8")):
        for page_size in (16, 64, 128):
            yield ("qk_norm_rope_cache", f"{name} page {page_size}", _front(quant, page_size, "off"),
                   {"max_position": 32768})
    yield "qk_norm_rope_cache", "bf16 page 16 gated q", _front("none", 16, "on"), {"max_position": 32768}


def _front(quant, page_size, gated):
    return {"hq": 16, "hk": 2, "hv": 2, "quant": quant, "page_size": page_size, "gated": gated}


def all_cases():
    """Every case, family by family and shape by shape, in rising token counts."""
    cases = []
    for family, shape, values, runtime in _shapes():
        for tokens in TOKENS:
            more = dict(runtime)
            if family == "qk_norm_rope_cache":
                more["num_blocks"] = -(-tokens // values["page_size"]) + 2
            cases.append(Case(family, shape, tokens, values, more))
    return cases


def chosen(families, tokens, quick):
    """The cases of the named families and token counts (None: all). `quick`: the first shape of each family, at two token counts."""
    cases = [case for case in all_cases()
             if (not families or case.family in families) and (not tokens or case.tokens in tokens)]
    if not quick:
        return cases
    first = {}
    for case in cases:
        first.setdefault(case.family, case.shape)
    counts = tokens or (16, 8192)
    return [case for case in cases if case.shape == first[case.family] and case.tokens in counts]
