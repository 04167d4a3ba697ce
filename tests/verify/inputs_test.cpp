// Inputs are a function of their counters, and the passes together name every element.

#include "harness/verify/inputs.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "harness/base/hash.hpp"
#include "harness/verify/compare.hpp"
#include "harness/verify/special_values.hpp"
#include "tests/verify/mirror_family.hpp"

namespace fusetune::test {
namespace {

std::vector<TensorImages> number_passes(const Inputs& inputs) {
  std::vector<TensorImages> passes;
  for (int pass = 0; pass < inputs.number_passes(); ++pass)
    passes.push_back(inputs.images(pass, Poison::a));
  return passes;
}

std::vector<const std::byte*> values_of(const std::vector<TensorImages>& passes,
                                        const std::string& tensor, std::int64_t index) {
  std::vector<const std::byte*> values;
  for (const TensorImages& images : passes) values.push_back(images.at(tensor).element(index));
  return values;
}

class InputsOf : public ::testing::TestWithParam<DType> {};

TEST_P(InputsOf, EveryElementIsNamedByItsBytes) {
  const MirrorShape shape{.rows = 37, .width = 41, .align_bytes = 8, .dtype = GetParam()};
  for (std::uint64_t seed : {0u, 1u, 12345u}) {
    const Inputs inputs(mirror_case(shape), seed);
    const auto passes = number_passes(inputs);
    for (const char* tensor : {"x", "acc"})
      for (std::int64_t index = 0; index < shape.rows * shape.width; ++index) {
        const auto source =
            inputs.source_of(values_of(passes, tensor, index), size_bytes(shape.dtype));
        ASSERT_TRUE(source.has_value()) << tensor << " " << index;
        ASSERT_EQ(*source, (Inputs::Source{tensor, index}));
      }
  }
}

TEST_P(InputsOf, ForeignBytesAreNoElement) {
  const MirrorShape shape{.rows = 37, .width = 41, .align_bytes = 8, .dtype = GetParam()};
  const Inputs inputs(mirror_case(shape), 5);
  auto passes = number_passes(inputs);
  for (std::int64_t index = 0; index < 500; ++index) {
    std::byte& byte = passes[1].at("x").bytes[passes[1].at("x").offset_of(index)];
    byte ^= std::byte{0x10};
    EXPECT_FALSE(inputs.source_of(values_of(passes, "x", index), size_bytes(shape.dtype)));
    byte ^= std::byte{0x10};
  }
}

INSTANTIATE_TEST_SUITE_P(DTypes, InputsOf,
                         ::testing::Values(DType::u8, DType::bf16, DType::fp32, DType::i64));

TEST(Inputs, TooFewPassesNameNothing) {
  const Inputs inputs(mirror_case({.dtype = DType::u8}), 1);
  EXPECT_EQ(inputs.number_passes(), 4);
  EXPECT_FALSE(inputs.can_name(1, 3));
  EXPECT_TRUE(inputs.can_name(1, 4));
  EXPECT_TRUE(Inputs(mirror_case(), 1).can_name(2, 2));
  const auto passes = number_passes(inputs);
  auto values = values_of(passes, "x", 3);
  values.pop_back();
  EXPECT_FALSE(inputs.source_of(values, 1));
}

TEST(Inputs, SameCountersGiveSameValuesOtherSeedsGiveOthers) {
  const Case which = mirror_case();
  const auto image = [&](std::uint64_t seed, int pass) {
    return Inputs(which, seed).images(pass, Poison::b).at("x").bytes;
  };
  EXPECT_EQ(image(4, 0), image(4, 0));
  EXPECT_NE(image(4, 0), image(5, 0));
  EXPECT_NE(image(4, 0), image(4, 1));
}

TEST(Inputs, FamiliesThatMoveDataKeepTheirPassesAndValues) {
  const std::map<DType, std::pair<int, std::uint64_t>> known = {
      {DType::u8, {5, 0xfc08712e08ff9678}},
      {DType::bf16, {3, 0x44e9a59c66308a95}},
      {DType::fp32, {3, 0x413b66cbfbc6f8d6}},
      {DType::i64, {3, 0x0ec6d3a696459f7c}}};
  for (const auto& [dtype, expected] : known) {
    const Inputs inputs(mirror_case({.rows = 37, .width = 41, .align_bytes = 8, .dtype = dtype}),
                        12345);
    std::uint64_t hash = 0;
    for (int pass = 0; pass < inputs.passes(); ++pass)
      for (const auto& [name, image] : inputs.images(pass, pass % 2 == 1 ? Poison::b : Poison::a))
        hash = hash64(image.bytes.data(), image.bytes.size(), hash);
    EXPECT_EQ(inputs.passes(), expected.first);
    EXPECT_EQ(hash, expected.second) << to_string(dtype);
  }
}

TEST(Inputs, WhatIsNoInputHoldsPoisonAndPaddingIsTold) {
  const TensorImages a = Inputs(mirror_case(), 1).images(0, Poison::a);
  for (std::int64_t i = 0; i < 30; ++i) {
    EXPECT_EQ(hex_of(a.at("y"), i), "0xffff");
    EXPECT_EQ(hex_of(a.at("scratch"), i), "0xffff");
  }
  const TensorImages b = Inputs(mirror_case(), 1).images(0, Poison::b);
  EXPECT_EQ(hex_of(b.at("y"), 29), "0x5a5a");
  const std::byte* padding_of_x = b.at("x").bytes.data() + 5 * 2;
  const std::byte* padding_of_y = b.at("y").bytes.data() + 5 * 2;
  EXPECT_NE(padding_of_x[0], padding_of_y[0]);
  EXPECT_NE(padding_of_x[0], poison_byte(Poison::b));
}

TEST(Inputs, TheSpecialPassHoldsSpecialValues) {
  const Inputs inputs(mirror_case({.rows = 10, .width = 10}), 9);
  const TensorImages images = inputs.images(inputs.number_passes(), Poison::a);
  std::set<std::string> seen;
  for (std::int64_t i = 0; i < 100; ++i) seen.insert(hex_of(images.at("x"), i));
  for (const char* bits : {"0x7f81", "0x8000", "0x0000", "0x0001", "0x7f80", "0xff80", "0x7f7f"})
    EXPECT_TRUE(seen.count(bits)) << bits;
}

TEST(SpecialValues, CoverEveryType) {
  for (DType dtype : all_dtypes()) {
    const auto values = special_values(dtype);
    EXPECT_GE(std::set(values.begin(), values.end()).size(), 6u) << to_string(dtype);
  }
  EXPECT_THAT(special_values(DType::fp32), ::testing::Contains(0x80000000u));
  EXPECT_THAT(special_values(DType::fp16), ::testing::Contains(0x7C01u));
  EXPECT_EQ(special_values(DType::e4m3fn).size(), 256u);
}

}  // namespace
}  // namespace fusetune::test
