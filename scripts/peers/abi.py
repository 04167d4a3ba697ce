"""The arguments of our kernels, in the order of their family.yaml: what a launch passes, as a list. Without torch.

For each tensor that the case has: its address, then its row stride in elements where family.yaml declares one; then the
runtime symbols; then the scalars. tests/cli/compare_peers_test.py compares this file with family.yaml.
"""

import ctypes
import dataclasses


@dataclasses.dataclass(frozen=True)
class Tensor:
    name: str
    strided: bool = False  # family.yaml: row_stride: runtime
    when: object = None  # a predicate of the case's values; None: always there
    written: bool = False

    def there(self, values):
        return self.when is None or self.when(values)


@dataclasses.dataclass(frozen=True)
class Signature:
    """Of one family's fused kernel, less what none of the cases has."""

    entry: str
    tensors: tuple
    symbols: tuple
    scalars: tuple = ()  # all of them float


def _is(name, value):
    return lambda values: values[name] == value


_STRIDED, _OUT = {"strided": True}, {"strided": True, "written": True}

SIGNATURES = {
    "split_reshape_cat": Signature(
        "split_reshape_cat",
        (Tensor("qkvz", **_STRIDED), Tensor("ba", **_STRIDED), Tensor("mixed_qkv", written=True), Tensor("z", written=True),
         Tensor("b", written=True), Tensor("a", written=True)),
        ("tokens",)),
    "rmsnorm_gated": Signature(
        "rmsnorm_gated",
        (Tensor("x", **_STRIDED), Tensor("z", **_STRIDED), Tensor("weight"), Tensor("y", **_OUT)),
        ("tokens",), ("eps",)),
    "rmsnorm_gemma": Signature(
        "rmsnorm_gemma",
        (Tensor("x", **_STRIDED), Tensor("residual", when=_is("residual", "on"), **_STRIDED), Tensor("weight"),
         Tensor("y", **_OUT), Tensor("residual_out", when=_is("residual", "on"), **_OUT)),
        ("tokens",), ("eps",)),
    "mrope": Signature(
        "mrope",
        (Tensor("positions_thw", **_STRIDED), Tensor("cos_sin"), Tensor("q", when=_is("in_place", "off"), **_STRIDED),
         Tensor("q_inout", when=_is("in_place", "on"), **_OUT), Tensor("k", when=_is("in_place", "off"), **_STRIDED),
         Tensor("k_inout", when=_is("in_place", "on"), **_OUT), Tensor("q_out", when=_is("in_place", "off"), **_OUT),
         Tensor("k_out", when=_is("in_place", "off"), **_OUT)),
        ("tokens",)),
    "qk_norm_rope_cache": Signature(
        "qk_norm_rope_cache",
        (Tensor("q", when=_is("gated", "off"), **_STRIDED), Tensor("q_gated", when=_is("gated", "on"), **_STRIDED),
         Tensor("k", **_STRIDED), Tensor("v", **_STRIDED), Tensor("q_weight"), Tensor("k_weight"),
         Tensor("positions", **_STRIDED), Tensor("cos_sin"), Tensor("slots"),
         Tensor("k_tensor_scale", when=_is("quant", "per_tensor")), Tensor("v_tensor_scale", when=_is("quant", "per_tensor")),
         Tensor("q_out", **_OUT), Tensor("k_out", **_OUT), Tensor("k_cache", when=_is("quant", "none"), **_OUT),
         Tensor("v_cache", when=_is("quant", "none"), **_OUT), Tensor("k_codes", when=_is("quant", "per_tensor"), **_OUT),
         Tensor("v_codes", when=_is("quant", "per_tensor"), **_OUT)),
        ("tokens", "num_blocks"), ("eps",)),
}
EPS = 1e-6


def tensors_of(case):
    """The tensors that the case has, in their order."""
    return [tensor for tensor in SIGNATURES[case.family].tensors if tensor.there(case.wanted)]


def arguments(case, address_of, row_stride_of):
    """ctypes values of one launch. `address_of`, `row_stride_of`: by tensor name, bytes and elements."""
    signature = SIGNATURES[case.family]
    values = []
    for tensor in tensors_of(case):
        values.append(ctypes.c_void_p(address_of(tensor.name)))
        if tensor.strided:
            values.append(ctypes.c_longlong(row_stride_of(tensor.name)))
    values += [ctypes.c_longlong(case.symbol(name)) for name in signature.symbols]
    values += [ctypes.c_float(EPS) for _ in signature.scalars]
    return values


def declaration(case):
    """The C++ types of those arguments: the compiler compares them with the kernel's own."""
    signature = SIGNATURES[case.family]
    types = []
    for tensor in tensors_of(case):
        types.append("void*" if tensor.written else "const void*")
        if tensor.strided:
            types.append("long long")
    return ", ".join(types + ["long long"] * len(signature.symbols) + ["float"] * len(signature.scalars))
