#include "harness/compile/disassembly.hpp"

#include <gmock/gmock.h>

namespace fusetune {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

AccessCounts count(std::string_view text, bool has_scratch = false) {
  AccessCounts counts;
  count_accesses(text, has_scratch, &counts);
  return counts;
}

TEST(AccessCounts, OfGfx9) {
  const AccessCounts counts = count(
      "\ts_load_dwordx4 s[0:3], s[4:5], 0x0\n"
      "\tglobal_load_dwordx4 v[0:3], v4, s[0:1]\n"
      "\tglobal_load_dwordx4 v[8:11], v[4:5], off offset:16 // 000000001120: DC5C8000\n"
      "\tglobal_load_dwordx3 v[0:2], v4, s[0:1]\n"
      "\tglobal_load_dwordx2 v[0:1], v4, s[0:1]\n"
      "\tglobal_load_dword v0, v4, s[0:1]\n"
      "\tglobal_load_ushort v0, v4, s[0:1]\n"
      "\tglobal_load_short_d16_hi v0, v4, s[0:1]\n"
      "\tglobal_load_sbyte_d16 v0, v4, s[0:1]\n"
      "\tflat_load_ubyte v0, v[4:5]\n"
      "\tbuffer_load_dwordx4 v[0:3], v4, s[8:11], 0 offen\n"
      "\tds_read_b128 v[0:3], v4\n"
      "\tscratch_load_dwordx4 v[0:3], off, s4\n"
      "\tglobal_atomic_add v0, v1, s[0:1]\n"
      "\tglobal_store_byte v0, v1, s[0:1]\n"
      "\tglobal_store_short_d16_hi v0, v1, s[0:1]\n"
      "\tflat_store_dwordx4 v[0:1], v[2:5]\n"
      "\tbuffer_store_dword v0, off, s[8:11], 0\n"
      "\ts_endpgm");
  EXPECT_THAT(counts.loads, ElementsAre(Pair(1, 2), Pair(2, 2), Pair(4, 1), Pair(8, 1), Pair(12, 1),
                                        Pair(16, 3)));
  EXPECT_THAT(counts.stores, ElementsAre(Pair(1, 1), Pair(2, 1), Pair(4, 1), Pair(16, 1)));
}

TEST(AccessCounts, OfGfx11) {
  const AccessCounts counts = count(
      "global_load_b128 v[0:3], v4, s[0:1]\n"
      "global_load_b96 v[0:2], v4, s[0:1]\n"
      "global_load_b64 v[0:1], v4, s[0:1]\n"
      "flat_load_b32 v0, v[4:5]\n"
      "global_load_d16_b16 v0, v4, s[0:1]\n"
      "global_load_d16_hi_b16 v0, v4, s[0:1]\n"
      "global_load_u16 v0, v4, s[0:1]\n"
      "global_load_d16_hi_i8 v0, v4, s[0:1]\n"
      "buffer_load_u8 v0, v4, s[8:11], 0\n"
      "ds_load_b128 v[0:3], v4\n"
      "global_store_b128 v4, v[0:3], s[0:1]\n"
      "global_store_d16_hi_b16 v4, v0, s[0:1]\n"
      "buffer_store_b8 v4, v0, s[0:3], 0\n");
  EXPECT_THAT(counts.loads, ElementsAre(Pair(1, 2), Pair(2, 3), Pair(4, 1), Pair(8, 1), Pair(12, 1),
                                        Pair(16, 1)));
  EXPECT_THAT(counts.stores, ElementsAre(Pair(1, 1), Pair(2, 1), Pair(16, 1)));
}

TEST(AccessCounts, LeaveScratchOut) {
  const char* text =
      "buffer_load_dword v0, off, s[8:11], 0 offset:4\n"
      "buffer_store_dword v0, off, s[8:11], 0 offset:4\n"
      "global_load_dword v0, v4, s[0:1]\n";
  EXPECT_THAT(count(text, true).loads, ElementsAre(Pair(4, 1)));
  EXPECT_THAT(count(text, true).stores, IsEmpty());
  EXPECT_THAT(count(text, false).loads, ElementsAre(Pair(4, 2)));
}

TEST(AccessCounts, OfNothingKnown) {
  for (const char* text :
       {"", "\n\n", "global_load_", "global_load_dwordx5 v0", "global_", "; x",
        "buffer_load_format_xyzw v[0:3], v4, s[8:11], 0", "<global_load_dword>"}) {
    EXPECT_THAT(count(text).loads, IsEmpty()) << text;
    EXPECT_THAT(count(text).stores, IsEmpty()) << text;
  }
}

}  // namespace
}  // namespace fusetune
