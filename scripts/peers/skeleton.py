"""What a launch costs that only waits for memory: as many blocks and threads as ours, as many loads one behind the other, one store.

A thread loads 16 bytes of the first input and stores 16 bytes of the first output, as far as there are any. With angles it also loads its
token's position and, behind that, 16 bytes of the position's row: what it stores depends on both. It computes nothing, so its results are
of no use, and nobody checks them. Without torch.
"""

import ctypes
import dataclasses

from . import abi

ENTRY = "skeleton"
DECLARATION = "const char*, char*, const long long*, const char*, long long, long long, long long"
SOURCE = """
extern "C" __global__ void skeleton(const char* in, char* out, const long long* positions, const char* table,
                                    long long in_bytes, long long out_bytes, long long tokens) {
  const long long at = ((long long)(blockIdx.x + gridDim.x * blockIdx.y) * blockDim.x + threadIdx.x) * 16;
  uint4 held = make_uint4(0, 0, 0, 0);
#if ROW_BYTES > 0
  const long long row = positions[blockIdx.x < tokens ? blockIdx.x : tokens - 1];
#endif
  if (at < in_bytes) held = *(const uint4*)(in + at);
#if ROW_BYTES > 0
  const uint4 angle = *(const uint4*)(table + row * ROW_BYTES + threadIdx.x * 16 % ROW_BYTES);
  held.x ^= angle.x, held.y ^= angle.y, held.z ^= angle.z, held.w ^= angle.w;
#endif
  if (at < out_bytes) *(uint4*)(out + at) = held;
}
"""


@dataclasses.dataclass(frozen=True)
class Chain:
    """Of one family: names of its first input and output, of which a case has one each, and of what leads to its angles."""

    inputs: tuple
    outputs: tuple
    positions: str = ""
    table: str = ""


CHAINS = {
    "split_reshape_cat": Chain(("qkvz",), ("mixed_qkv",)),
    "rmsnorm_gated": Chain(("x",), ("y",)),
    "rmsnorm_gemma": Chain(("x",), ("y",)),
    "mrope": Chain(("q", "q_inout"), ("q_out", "q_inout"), "positions_thw", "cos_sin"),
    "qk_norm_rope_cache": Chain(("q", "q_gated"), ("q_out",), "positions", "cos_sin"),
}


def chain_of(case):
    """(input, output, positions or "", table or "") by name, as the case has them."""
    chain = CHAINS[case.family]
    there = {tensor.name for tensor in abi.tensors_of(case)}
    one = lambda names: next(name for name in names if name in there)
    return one(chain.inputs), one(chain.outputs), chain.positions, chain.table


def row_bytes(case):
    """Of the table of cosines and sines; 0 without one."""
    return 2 * case.symbol("rotary_dim") if CHAINS[case.family].table else 0


def code(compiler, case):
    """Machine code for the compiler's target."""
    return compiler.compile(SOURCE, "skeleton.cu", {}, [*compiler.options({"ROW_BYTES": str(row_bytes(case))})])


def arguments(case, address_of, bytes_of):
    """ctypes values of one launch. `address_of`, `bytes_of`: by tensor name."""
    first, last, positions, table = chain_of(case)
    pointers = [address_of(first), address_of(last), address_of(positions) if positions else None, address_of(table) if table else None]
    return [*(ctypes.c_void_p(pointer) for pointer in pointers),
            *(ctypes.c_longlong(number) for number in (bytes_of(first), bytes_of(last), case.tokens))]
