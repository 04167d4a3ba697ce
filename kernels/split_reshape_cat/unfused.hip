// The baseline: one strided copy launch per output, as a framework issues them. Widest access that
// the alignment class allows.
#include "ft.h"
#include "rows.h"

namespace {

using Row = RowChunks<FT_VECTOR_BYTES_MAX>;

// Chunks [first, first + kWidth) of every row to the dense rows of one output.
template <int kWidth>
FT_DEVICE void copy_part(const InputRows& in, void* to, ft_i64 tokens, int first) {
  const ft_i64 stride = static_cast<ft_i64>(gridDim.x) * FT_BLOCK_SIZE;
  for (ft_i64 item = static_cast<ft_i64>(blockIdx.x) * FT_BLOCK_SIZE + threadIdx.x;
       item < tokens * kWidth; item += stride) {
    const ft_i64 row = item / kWidth;
    const int c = first + static_cast<int>(item - row * kWidth);
    ft_store<FT_VECTOR_BYTES_MAX>(
        static_cast<char*>(to) + item * FT_VECTOR_BYTES_MAX,
        ft_load<FT_VECTOR_BYTES_MAX>(in.qkvz + row * in.qkvz_row_bytes +
                                     source_chunk<Row>(c) * FT_VECTOR_BYTES_MAX));
  }
}

// b (which = 0) or a (which = 1), element by element.
FT_DEVICE void copy_gate(const char* ba, ft_i64 ba_row_bytes, void* to, ft_i64 tokens, int which) {
  const ft_i64 stride = static_cast<ft_i64>(gridDim.x) * FT_BLOCK_SIZE;
  for (ft_i64 item = static_cast<ft_i64>(blockIdx.x) * FT_BLOCK_SIZE + threadIdx.x;
       item < tokens * FT_NV; item += stride) {
    const ft_i64 row = item / FT_NV;
    const int head = static_cast<int>(item - row * FT_NV);
#if FT_GROUPED_ROWS
    const int column = (head / FT_RATIO) * 2 * FT_RATIO + which * FT_RATIO + head % FT_RATIO;
#else
    const int column = which * FT_NV + head;
#endif
    ft_store<FT_BYTES_BA>(static_cast<char*>(to) + item * FT_BYTES_BA,
                          ft_load<FT_BYTES_BA>(ba + row * ba_row_bytes + column * FT_BYTES_BA));
  }
}

}  // namespace

#if FT_MERGED_ROWS
#define QKVZ_PARAMETERS SRC_ROWS_PARAMETERS
#define QKVZ_ROWS SRC_ROWS
#define BA_PARAMETERS SRC_ROWS_PARAMETERS
#define BA_DATA \
  static_cast<const char*>(qkvzba) + FT_BA_OFFSET_BYTES, qkvzba_row_stride* FT_BYTES_ACT
#else
#define QKVZ_PARAMETERS const void* __restrict__ qkvz, ft_i64 qkvz_row_stride
#define QKVZ_ROWS \
  InputRows { static_cast<const char*>(qkvz), qkvz_row_stride *FT_BYTES_ACT, nullptr, 0 }
#define BA_PARAMETERS const void* __restrict__ ba, ft_i64 ba_row_stride
#define BA_DATA static_cast<const char*>(ba), ba_row_stride* FT_BYTES_BA
#endif

FT_KERNEL(FT_BLOCK_SIZE)
void copy_qkv(QKVZ_PARAMETERS, void* __restrict__ mixed_qkv, ft_i64 tokens) {
  copy_part<Row::kQkv>(QKVZ_ROWS, mixed_qkv, tokens, 0);
}

FT_KERNEL(FT_BLOCK_SIZE)
void copy_z(QKVZ_PARAMETERS, void* __restrict__ z, ft_i64 tokens) {
  copy_part<Row::kZ>(QKVZ_ROWS, z, tokens, Row::kQkv);
}

FT_KERNEL(FT_BLOCK_SIZE)
void copy_b(BA_PARAMETERS, void* __restrict__ b, ft_i64 tokens) {
  copy_gate(BA_DATA, b, tokens, 0);
}

FT_KERNEL(FT_BLOCK_SIZE)
void copy_a(BA_PARAMETERS, void* __restrict__ a, ft_i64 tokens) {
  copy_gate(BA_DATA, a, tokens, 1);
}

#if FT_ZERO_FILL == FT_ZERO_FILL_ON
FT_KERNEL(FT_BLOCK_SIZE)
void zero_tail(void* __restrict__ core_attn_out, ft_i64 tokens, ft_i64 num_actual_tokens) {
  const ft_i64 stride = static_cast<ft_i64>(gridDim.x) * FT_BLOCK_SIZE;
  for (ft_i64 c = num_actual_tokens * Row::kZ + static_cast<ft_i64>(blockIdx.x) * FT_BLOCK_SIZE +
                  threadIdx.x;
       c < tokens * Row::kZ; c += stride)
    ft_store<FT_VECTOR_BYTES_MAX>(static_cast<char*>(core_attn_out) + c * FT_VECTOR_BYTES_MAX,
                                  ft_vec<FT_VECTOR_BYTES_MAX>{});
}
#endif
