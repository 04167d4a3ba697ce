// What proofs of one case share: made once, the same as without, and never what a kernel wrote
// over.

#include "harness/verify/proof_cache.hpp"

#include <gmock/gmock.h>

#include "tests/verify/mirror_proof.hpp"

namespace fusetune::test {
namespace {

TensorImages some_images(std::byte value, std::size_t size_bytes = 64) {
  TensorImages images;
  images["x"].bytes.assign(size_bytes, value);
  return images;
}

/// The second proof's report, but for its time.
Json proved_again(MirrorProof& proof, ProofCache* cache, std::uint64_t seed = 1) {
  Json report = to_json(prove_mirror(proof, seed, 2, mirror_reference(), cache));
  report.erase("wall_ms");
  return report;
}

TEST(ProofCache, ASecondProofMakesNothingAndSaysTheSame) {
  MirrorProof proof([](const MirrorArguments& a) { a.run(); });
  ProofCache cache;
  const Json alone = proved_again(proof, nullptr);
  EXPECT_EQ(proved_again(proof, &cache), alone);
  const std::int64_t made = cache.made();
  EXPECT_GT(made, 0);
  EXPECT_EQ(proved_again(proof, &cache), alone);
  EXPECT_EQ(cache.made(), made);
  proved_again(proof, &cache, 2);
  EXPECT_GT(cache.made(), made) << "another seed has other inputs";
}

TEST(ProofCache, OtherCasesHaveOtherContents) {
  MirrorProof small([](const MirrorArguments& a) { a.run(); }, {.rows = 4});
  MirrorProof large([](const MirrorArguments& a) { a.run(); }, {.rows = 5});
  ProofCache cache;
  proved_again(small, &cache);
  EXPECT_EQ(proved_again(large, &cache), proved_again(large, nullptr));
}

TEST(ProofCache, WhatWasWrittenOverIsMadeAgain) {
  ProofCache cache;
  std::byte* kept = nullptr;
  int made = 0;
  const auto make = [&] {
    ++made;
    TensorImages images = some_images(std::byte{1});
    kept = images["x"].bytes.data();
    return images;
  };
  cache.images("key", make);
  EXPECT_EQ(cache.images("key", make).at("x").bytes[5], std::byte{1});
  EXPECT_EQ(made, 1);
  kept[5] = std::byte{2};  // as a wild kernel would
  EXPECT_EQ(cache.images("key", make).at("x").bytes[5], std::byte{1});
  EXPECT_EQ(made, 2);
}

TEST(ProofCache, ResultsOfOtherBitsAreJudgedThemselves) {
  ProofCache cache;
  Pass pass;
  const auto expect = [](Pass& filled) { filled.expected = some_images(std::byte{7}); };
  cache.expect("key", pass, expect);
  pass.actual = pass.expected;
  int judged = 0;
  const auto judge = [&](Findings* findings) {
    ++judged;
    findings->count(Check::exact, 64, "elements");
    if (pass.actual.at("x").bytes[3] != std::byte{7})
      findings->add(Check::exact, Status::verification_failed, {"x", 3, "it is wrong"});
    return ResultMetrics{};
  };
  Findings findings;
  for (int i = 0; i < 3; ++i) cache.judge("rules", {&pass, 1}, &findings, judge);
  EXPECT_EQ(judged, 1);
  EXPECT_EQ(findings.comparisons(Check::exact), 3 * 64) << "what it stands for is counted";
  cache.judge("other rules", {&pass, 1}, &findings, judge);
  EXPECT_EQ(judged, 2);
  pass.actual.at("x").bytes[3] = std::byte{8};
  for (int i = 0; i < 2; ++i) {
    Findings found;
    cache.judge("rules", {&pass, 1}, &found, judge);
    EXPECT_TRUE(found.any());
    EXPECT_EQ(judged, 3 + i) << "what is wrong is judged each time";
  }
}

TEST(ProofCache, APassWithoutANameIsJudgedEachTime) {
  ProofCache cache;
  const Pass pass;
  int judged = 0;
  const auto judge = [&](Findings*) {
    ++judged;
    return ResultMetrics{};
  };
  Findings findings;
  for (int i = 0; i < 2; ++i) cache.judge("rules", {&pass, 1}, &findings, judge);
  EXPECT_EQ(judged, 2);
}

TEST(ProofCache, KeepsWhatWasUsedLastWithinItsBytes) {
  ProofCache cache(100000);
  int made = 0;
  const auto make = [&made](std::size_t size_bytes) {
    return [&made, size_bytes] {
      ++made;
      return some_images(std::byte{1}, size_bytes);
    };
  };
  for (int key = 0; key < 20; ++key) {
    cache.images(std::to_string(key), make(20000));
    cache.images("0", make(20000));
    EXPECT_LE(cache.bytes(), 100000u);
  }
  EXPECT_EQ(made, 20);
  cache.images("5", make(20000));
  EXPECT_EQ(made, 21);
  for (int i = 0; i < 2; ++i) cache.images("large", make(30000));
  EXPECT_EQ(made, 23) << "one that would push out most others is not kept";
}

}  // namespace
}  // namespace fusetune::test
