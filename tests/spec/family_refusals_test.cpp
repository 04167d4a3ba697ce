// What the families of this project refuse, each with its reason.

#include <gmock/gmock.h>

#include "harness/base/error.hpp"
#include "harness/spec/plan.hpp"

namespace fusetune::test {
namespace {

using ::testing::HasSubstr;

struct Refusal {
  const char* key;
  const char* reason;
};

TEST(ShippedFamilies, RefuseWhatTheyCannotServe) {
  const Refusal refusals[] = {
      {"split_reshape_cat(nk=4,nv=6,tokens=1)", "same whole number of v heads"},
      {"split_reshape_cat(act=bf16,ba=fp32,layout=merged,nk=2,nv=4,tokens=1)", "one element size"},
      {"split_reshape_cat(nk=2,nv=4,num_actual_tokens=2,tokens=1,zero_fill=on)", "0..tokens"},
      {"gdn_weight_deinterleave(columns=256,hk=96,hv=128,nk=2,ratio=2,scale_kind=block)",
       "belong to two heads"},
      {"gdn_weight_deinterleave(columns=256,layout=contiguous,nk=2,ratio=2)", "scramble"},
      {"gdn_weight_pack(columns=256,hk=128,hv=64,nk=2,ratio=2,scale_kind=block)",
       "not whole block scales"},
      {"gdn_weight_pack(columns=256,nk=2,ratio=2,projection=ba,scale_kind=block)",
       "not whole block scales"},
      {"gdn_weight_pack(columns=256,nk=2,ratio=2,rank=2,ranks=2)", "one of the ranks"},
      {"rmsnorm_gated(head_dim=128,heads=2,norm_group=48,tokens=1)", "whole groups of the norm"},
      {"rmsnorm_gemma(tokens=1,width=16385)", "up to 16384"},
      {"rmsnorm_gemma(group=96,quant=group,tokens=1,width=512)", "whole groups"},
      {"mrope(head_dim=64,kv_heads=1,q_heads=2,rotary_dim=66,tokens=1)", "pairs of a head"},
      {"mrope(kv_heads=1,mrope=sectioned,mrope_height=1,mrope_time=1,mrope_width=1,q_heads=2,"
       "rotary_dim=64,tokens=1)",
       "add up to half"},
      {"qk_norm_rope_cache(cache=packed,hk=2,hq=4,hv=1,tokens=1)", "as many heads of k as of v"},
      {"qk_norm_rope_cache(cache=flat,hk=1,hq=1,quant=per_page,tokens=1)", "flat slots"},
      {"qk_norm_rope_cache(cache=shuffle,hk=1,hq=1,page_size=4,tokens=1)", "16 bytes of slots"},
      {"qk_norm_rope_cache(head_dim=96,hk=1,hq=1,tokens=1)", "power of two"},
      {"rmsnorm_gated(heads=32,tokens=67108864)", "32 bits"},
      {"rmsnorm_gemma(tokens=2147483648,width=512)", "32 bits"},
      {"mrope(head_dim=64,kv_heads=1,q_heads=2,rotary_dim=64,tokens=2147483648)", "32 bits"},
      {"qk_norm_rope_cache(hk=1,hq=2,tokens=16776961)", "2^32 threads"},
  };
  for (const auto& [key, reason] : refusals) {
    try {
      parse_case_key(key);
      ADD_FAILURE() << key << " is accepted";
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(), HasSubstr(reason)) << key;
    }
  }
}

TEST(ShippedFamilies, RowsThatDependOnEachOtherHaveNoBitsOfTheirOwn) {
  const auto geometry = [](const char* key) { return parse_case_key(key).geometry; };
  EXPECT_THROW(require_independent_rows(
                   geometry("qk_norm_rope_cache(hk=1,hq=1,quant=per_page,tokens=1)"), {}),
               UserError);
  require_independent_rows(geometry("qk_norm_rope_cache(hk=1,hq=1,quant=per_token,tokens=1)"), {});
  require_independent_rows(geometry("rmsnorm_gemma(tokens=1,width=512)"), {});
}

}  // namespace
}  // namespace fusetune::test
