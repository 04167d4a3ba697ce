// The elements of one access to activations, as wide as the axis vector_bytes has it; in
// implementations without that axis, as wide as alignment allows. For families with the type act
// and the derived word vector_bytes_max.
#pragma once

#ifdef FT_VECTOR_BYTES
constexpr int kElements = FT_VECTOR_BYTES / FT_BYTES_ACT;
#else
constexpr int kElements = FT_VECTOR_BYTES_MAX / FT_BYTES_ACT;
#endif
