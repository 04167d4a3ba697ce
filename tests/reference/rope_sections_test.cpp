// The sections of mrope: families take what the reference takes, and refuse what it refuses.
#include <gtest/gtest.h>

#include <stdexcept>

#include "harness/base/error.hpp"
#include "harness/spec/plan.hpp"
#include "reference/rope.hpp"

namespace fusetune::reference::testing {
namespace {

bool reference_takes(const std::string& rule, const std::vector<std::int64_t>& sections,
                     std::int64_t half) {
  try {
    axes_of(rule, sections, half);
    return true;
  } catch (const std::logic_error&) {
    return false;
  }
}

bool family_takes(const char* family, const std::string& rule,
                  const std::vector<std::int64_t>& sections, std::int64_t half) {
  CaseRequest request;
  request.family = find_family(family);
  request.statics = {
      {"mrope", Enum{rule}},       {"head_dim", std::int64_t{32}}, {"rotary_dim", 2 * half},
      {"mrope_time", sections[0]}, {"mrope_height", sections[1]},  {"mrope_width", sections[2]},
  };
  for (const char* heads : {"q_heads", "kv_heads", "hq", "hk"})
    if (request.family->find_symbol(heads) != nullptr) request.statics[heads] = std::int64_t{1};
  request.runtime["tokens"] = std::int64_t{1};
  try {
    make_case(request);
    return true;
  } catch (const UserError&) {
    return false;
  }
}

TEST(RopeSections, FamiliesTakeWhatTheReferenceTakes) {
  int taken = 0, refused = 0;
  for (const char* family : {"mrope", "qk_norm_rope_cache"})
    for (const char* rule : {"interleaved", "sectioned"})
      for (std::int64_t half = 1; half <= 7; ++half)
        for (std::int64_t height = 0; height <= half; ++height)
          for (std::int64_t width = 0; height + width <= half; ++width) {
            const std::vector<std::int64_t> sections = {half - height - width, height, width};
            const bool takes = reference_takes(rule, sections, half);
            EXPECT_EQ(family_takes(family, rule, sections, half), takes)
                << family << ", " << rule << " " << sections[0] << "/" << height << "/" << width;
            ++(takes ? taken : refused);
          }
  EXPECT_GT(taken, 100);
  EXPECT_GT(refused, 100);
}

TEST(RopeSections, NoSectionIsNegative) {
  for (const char* family : {"mrope", "qk_norm_rope_cache"})
    for (const char* rule : {"interleaved", "sectioned"})
      EXPECT_FALSE(family_takes(family, rule, {5, -1, 0}, 4)) << family << ", " << rule;
}

}  // namespace
}  // namespace fusetune::reference::testing
