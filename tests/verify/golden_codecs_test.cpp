// Tables of casts: what a table must have before its codes are compared.

#include "harness/verify/golden_codecs.hpp"

#include <gmock/gmock.h>

#include "harness/base/error.hpp"

namespace fusetune::test {
namespace {

using ::testing::HasSubstr;

/// One chosen number, 1, and its code of e4m3fn.
GoldenCase one_cast() {
  GoldenCase golden;
  golden.name = "c";
  golden.family = "fp8_cast_f32";
  golden.params = {{"dtype", "float8_e4m3fn"}};
  golden.tensors["x"] = {
      "F32", {1}, {std::byte{0}, std::byte{0}, std::byte{0x80}, std::byte{0x3f}}};
  golden.tensors["raw"] = golden.tensors["clamped"] = {"U8", {1}, {std::byte{0x38}}};
  return golden;
}

std::string table_error(const GoldenCase& golden) {
  try {
    compare_codecs_with_golden(golden);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

TEST(CastTables, OneCodeIsCompared) {
  GoldenCase golden = one_cast();
  EXPECT_TRUE(compare_codecs_with_golden(golden).outcome.ok());
  EXPECT_EQ(compare_codecs_with_golden(golden).checks.at(0).comparisons, 2);
  golden.tensors["raw"].bytes[0] = std::byte{0x39};
  EXPECT_EQ(compare_codecs_with_golden(golden).mismatch_count, 1);
}

TEST(CastTables, OnlyTypesOfCodesHaveATable) {
  GoldenCase golden = one_cast();
  for (const Json& dtype :
       {Json("float8_bf16"), Json("float8_fp32"), Json("float8_u8"), Json("float8_"),
        Json("e4m3fn"), Json(""), Json(8), Json(nullptr), Json::object()}) {
    golden.params["dtype"] = dtype;
    EXPECT_THAT(table_error(golden), HasSubstr("golden case c: no codec for ")) << dtype;
  }
  golden.params.erase("dtype");
  EXPECT_THAT(table_error(golden), HasSubstr("golden case c: no codec for "));
}

TEST(CastTables, AnEmptyTableIsNone) {
  GoldenCase golden = one_cast();
  for (auto& [name, tensor] : golden.tensors) {
    tensor.dims = {0};
    tensor.bytes.clear();
  }
  EXPECT_EQ(table_error(golden), "golden case c: 'x' has no numbers");
}

}  // namespace
}  // namespace fusetune::test
