// Proofs over an exchange that carries only what is not known: they say the same as plain ones,
// find the same, and carry less.

#include "harness/verify/digest_exchange.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "harness/device/device_error.hpp"
#include "harness/verify/proof_cache.hpp"
#include "tests/verify/mirror_proof.hpp"

namespace fusetune::test {
namespace {

using ::testing::HasSubstr;

/// The digest kernel over host memory; `lie` changes what it says.
struct DigestCode : FakeDevice::Code {
  explicit DigestCode(std::uint64_t lie = 0) {
    kernels[kDigestEntry] = [lie](const KernelLaunch& launch, std::uint64_t) {
      struct Part {
        std::uint64_t address;
        std::int64_t bytes, place;
      };
      const auto* parts =
          reinterpret_cast<const Part*>(std::get<DevicePointer>(launch.arguments[0]));
      auto* sums = reinterpret_cast<Digest*>(std::get<DevicePointer>(launch.arguments[1]));
      for (std::int64_t i = 0; i < std::get<std::int64_t>(launch.arguments[2]); ++i) {
        DigestSum sum;
        sum.add(reinterpret_cast<const std::byte*>(parts[i].address),
                static_cast<std::size_t>(parts[i].bytes),
                static_cast<std::uint64_t>(parts[i].place));
        sums[i] = sum.sum();
        sums[i].low += lie;
      }
      return Outcome{};
    };
  }
};

/// A proof of the mirror family with an exchange that stays.
struct FarProof : MirrorProof {
  explicit FarProof(MirrorKernel kernel, const MirrorShape& shape = {})
      : MirrorProof(std::move(kernel), shape), exchange(device, std::make_unique<DigestCode>()) {}

  Json prove(bool far, std::uint64_t seed = 1) {
    ProofOptions options;
    options.seed = seed;
    options.exchange = far ? &exchange : nullptr;
    options.cache = &cache;
    Json report = to_json(fusetune::prove(device, variant, which, options, &mirror_reference()));
    report.erase("wall_ms");
    return report;
  }

  DigestExchange exchange;
  ProofCache cache;
};

TEST(DigestExchange, SaysWhatAPlainOneSays) {
  for (const MirrorShape& shape : {MirrorShape{}, MirrorShape{.padding = 0, .dtype = DType::u8}}) {
    FarProof right([](const MirrorArguments& a) { a.run(); }, shape);
    EXPECT_EQ(right.prove(true), right.prove(false));
  }
}

TEST(DigestExchange, ASecondProofCarriesNothing) {
  FarProof proof([](const MirrorArguments& a) { a.run(); });
  const Json first = proof.prove(true);
  const std::int64_t carried = proof.exchange.carried_bytes();
  EXPECT_GT(carried, 0);
  EXPECT_EQ(proof.prove(true), first);
  EXPECT_EQ(proof.exchange.carried_bytes(), carried);
  proof.prove(true, 2);
  EXPECT_GT(proof.exchange.carried_bytes(), carried) << "another seed has other inputs";
}

/// As the plain proof finds it, after right proofs have filled the exchange.
void expect_found(const MirrorKernel& wrong, const std::string& check) {
  bool is_wrong = false;
  FarProof proof([&](const MirrorArguments& a) {
    a.run();
    if (is_wrong) wrong(a);
  });
  ASSERT_EQ(proof.prove(true).at("failed_check"), "");
  is_wrong = true;
  const Json found = proof.prove(true);
  EXPECT_EQ(found.at("failed_check"), check);
  EXPECT_EQ(found, proof.prove(false));
  is_wrong = false;
  EXPECT_EQ(proof.prove(true).at("failed_check"), "") << "nothing of it stays behind";
}

TEST(DigestExchange, FindsEveryKindOfDamage) {
  expect_found([](const MirrorArguments& a) { a.fill(a.y, 2, 0x01); }, "exact");
  expect_found([](const MirrorArguments& a) { a.fill(a.x, 1, 0x01); }, "inputs_unchanged");
  expect_found([](const MirrorArguments& a) { a.fill(a.y, a.width, 0x01); }, "row_padding");
  expect_found([](const MirrorArguments& a) { a.fill(a.y, -1, 0x01); }, "guards");
  expect_found([](const MirrorArguments& a) { a.fill(a.acc, 0, 0x01); }, "untouched");
}

TEST(DigestExchange, WhatAWildKernelLeftElsewhereIsNoOthersFault) {
  std::byte* kept = nullptr;
  bool is_wild = false;
  FarProof proof([&](const MirrorArguments& a) {
    a.run();
    if (kept == nullptr) kept = a.x;
    if (is_wild) std::fill_n(kept, 2, std::byte{0x77});
  });
  ASSERT_EQ(proof.prove(true).at("failed_check"), "");
  // Into the arena of another placement, which is not looked at in that run.
  is_wild = true;
  proof.prove(true);
  is_wild = false;
  EXPECT_EQ(proof.prove(true).at("failed_check"), "");
}

TEST(DigestExchange, ADigestKernelThatIsWrongIsRefused) {
  FakeDevice device;
  try {
    const DigestExchange exchange(device, std::make_unique<DigestCode>(1));
    FAIL() << "taken";
  } catch (const DeviceError& error) {
    EXPECT_THAT(error.what(), HasSubstr("is not what this machine makes of them"));
  }
}

TEST(Digest, TellsEveryByteAndItsPlace) {
  std::vector<std::byte> bytes(100, std::byte{0x5A});
  const Digest before = digest_of(bytes.data(), bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= std::byte{1};
    EXPECT_NE(digest_of(bytes.data(), bytes.size()), before) << i;
    bytes[i] ^= std::byte{1};
  }
  EXPECT_NE(digest_of(bytes.data(), 99), before);
  std::vector<std::byte> zeros(64);
  EXPECT_NE(digest_of(zeros.data(), 56), digest_of(zeros.data(), 64)) << "the size counts";
  bytes[8] = std::byte{1};
  const Digest one = digest_of(bytes.data(), bytes.size());
  std::swap_ranges(bytes.begin(), bytes.begin() + 8, bytes.begin() + 8);
  EXPECT_NE(digest_of(bytes.data(), bytes.size()), one) << "so does the order of words";
}

TEST(ImageBytes, AreSharedUntilOneChanges) {
  ImageBytes a(10);
  const ImageBytes b = a;
  const Digest zeros = b.digest();
  EXPECT_TRUE(a.shares_with(b));
  a[3] = std::byte{1};
  EXPECT_FALSE(a.shares_with(b));
  EXPECT_EQ(b[3], std::byte{0});
  EXPECT_EQ(b.digest(), zeros);
  EXPECT_NE(a.digest(), zeros) << "worked out anew";
}

}  // namespace
}  // namespace fusetune::test
