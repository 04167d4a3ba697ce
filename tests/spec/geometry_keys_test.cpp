#include <gmock/gmock.h>

#include "harness/base/json.hpp"
#include "harness/spec/geometry.hpp"
#include "tests/spec/family_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::HasSubstr;

class KeysTest : public ::testing::Test {
 protected:
  Folder folder_;
  std::shared_ptr<const Family> family_ = family_of(folder_, kFamily);
};

TEST_F(KeysTest, KeysPasteBack) {
  for (const char* key :
       {"split_reshape_cat(act=bf16,ba=bf16,hk=128,hv=128,layout=interleaved,nk=2,nv=4,tokens=7,"
        "zero_fill=off)",
        "split_reshape_cat(act=bf16,align_qkvzba=16,ba=bf16,hk=128,hv=128,layout=merged,nk=2,nv=6,"
        "stride_qkvzba=2112,tokens=7,zero_fill=off)",
        "split_reshape_cat(act=bf16,align_qkvz=4,align_z=8,ba=fp32,hk=128,hv=128,layout=contiguous,"
        "nk=2,num_actual_tokens=3,nv=6,tokens=7,zero_fill=on)",
        // A base of 8 under rows that are multiples of 16, where dense rows would give 8.
        "split_reshape_cat(act=bf16,align_qkvzba=8,ba=bf16,hk=128,hv=128,layout=merged,nk=2,nv=6,"
        "stride_qkvzba=2112,tokens=7,zero_fill=off)"}) {
    const Case which = parse_case_key(key);
    EXPECT_EQ(which.key(), key);
    const Geometry geometry = parse_geometry_key(which.geometry.key());
    EXPECT_EQ(geometry.key(), which.geometry.key());
    EXPECT_EQ(geometry.align_bytes, which.geometry.align_bytes);
    EXPECT_EQ(case_from_json(to_json(which)).key(), key);
  }
}

TEST_F(KeysTest, KeysTakeDefaultsAndSpaces) {
  EXPECT_EQ(parse_case_key(" split_reshape_cat( nk=2, nv=4 ,tokens=7 ) ").key(),
            "split_reshape_cat(act=bf16,ba=bf16,hk=128,hv=128,layout=interleaved,nk=2,nv=4,"
            "tokens=7,zero_fill=off)");
  // The default of a runtime symbol is left out of the key.
  EXPECT_EQ(parse_case_key("split_reshape_cat(nk=2,nv=4,tokens=7,zero_fill=on,num_actual_tokens=7)")
                .key()
                .find("num_actual_tokens"),
            std::string::npos);
}

TEST_F(KeysTest, BadKeysSayWhatIsWrong) {
  const auto error = [](const std::string& key) { return error_of([&] { parse_case_key(key); }); };
  EXPECT_THAT(error("split_reshape_cat"), HasSubstr("is no key"));
  EXPECT_THAT(error("split_reshape_cut(nk=2)"), HasSubstr("did you mean 'split_reshape_cat'"));
  EXPECT_THAT(error("split_reshape_cat(nk=2,nk=2)"), HasSubstr("stands twice"));
  EXPECT_THAT(error("split_reshape_cat(nk=2,)"), HasSubstr("ends with a comma"));
  EXPECT_THAT(error("split_reshape_cat(nk)"), HasSubstr("is no name=value"));
  EXPECT_THAT(error("split_reshape_cat(nk=02)"), HasSubstr("'02' is no integer"));
  EXPECT_THAT(error("split_reshape_cat(nk=2x)"), HasSubstr("'2x' is no integer"));
  EXPECT_THAT(error("split_reshape_cat(nkk=2)"), HasSubstr("unknown name in a key"));
  EXPECT_THAT(error("split_reshape_cat(nk=2,nv=4)"), HasSubstr("'tokens' needs a value"));
  EXPECT_THAT(error("split_reshape_cat(act=bf17,nk=2,nv=4,tokens=1)"),
              HasSubstr("did you mean 'bf16'"));
  EXPECT_THAT(error("split_reshape_cat(align_qkvzba=16,layout=merged,nk=2,nv=6,tokens=1)"),
              HasSubstr("align_qkvzba=16 cannot be; the rows give 8"));
  EXPECT_THAT(error_of([] { parse_geometry_key("split_reshape_cat(nk=2,nv=4,tokens=1)"); }),
              HasSubstr("the key of a case"));
  EXPECT_THAT(error_of([] { parse_geometry_key("split_reshape_cat(align_z=16,hv=4,nk=1,nv=1)"); }),
              HasSubstr("align_z=16 cannot be"));
  EXPECT_THAT(error_of([] { parse_geometry_key("split_reshape_cat(align_z=3,nk=1,nv=1)"); }),
              HasSubstr("align_z=3 cannot be"));
}

TEST_F(KeysTest, VariantKeysNameTheImplementationUnlessTuned) {
  const std::string tuned = "block_size=64,path=direct,vector_bytes=8";
  EXPECT_EQ(parse_variant_key(*family_, tuned).key(*family_), tuned);
  EXPECT_EQ(parse_variant_key(*family_, tuned).implementation, "fused");
  const std::string simple = "block_size=128,implementation=simple,path=staged";
  EXPECT_EQ(parse_variant_key(*family_, simple).key(*family_), simple);
  // A fixed axis need not be named.
  EXPECT_EQ(parse_variant_key(*family_, "implementation=simple,path=staged").key(*family_), simple);
  EXPECT_EQ(parse_variant_key(*family_, "implementation=view").key(*family_),
            "implementation=view");
  // From the range, not from the list.
  EXPECT_EQ(
      parse_variant_key(*family_, "block_size=96,path=direct,vector_bytes=8").axes.at("block_size"),
      Value(std::int64_t{96}));
  const Variant variant = parse_variant_key(*family_, simple);
  EXPECT_EQ(variant_from_json(to_json(variant)).key(*family_), simple);
}

TEST_F(KeysTest, BadVariantKeysSayWhatIsWrong) {
  const auto error = [&](const std::string& key) {
    return error_of([&] { parse_variant_key(*family_, key); });
  };
  EXPECT_THAT(error("block_size=64,path=direct"), HasSubstr("names no vector_bytes"));
  EXPECT_THAT(error("block_size=2048,path=direct,vector_bytes=8"), HasSubstr("not 2048"));
  EXPECT_THAT(error("block_size=64,path=dierct,vector_bytes=8"), HasSubstr("mean 'direct'"));
  EXPECT_THAT(error("implementation=simpel,path=direct"), HasSubstr("did you mean 'simple'"));
  EXPECT_THAT(error("block_size=64,implementation=simple,path=direct"),
              HasSubstr("simple has block_size=128, not 64"));
  EXPECT_THAT(error("implementation=view,path=direct"), HasSubstr("unknown axis of view"));
}

TEST_F(KeysTest, AMessageOfAnotherFamilyFileIsRefused) {
  Json json = to_json(make_case(request_of(family_, 64, 5)));
  family_of(folder_, replaced(kFamily, "default: 2", "default: 4"));
  EXPECT_THAT(error_of([&] { case_from_json(json); }), HasSubstr("has changed"));
}

}  // namespace
}  // namespace fusetune::test
