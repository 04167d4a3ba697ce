#include "harness/compile/compiler.hpp"

namespace fusetune {

namespace {

using Counts = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// Calls visit(name, member) for every optional field, so that both directions share one list.
template <class Facts, class Visit>
void for_each_field(Facts& facts, Visit visit) {
  visit("vgpr", facts.vgpr);
  visit("agpr", facts.agpr);
  visit("sgpr", facts.sgpr);
  visit("vgpr_spills", facts.vgpr_spills);
  visit("sgpr_spills", facts.sgpr_spills);
  visit("scratch_bytes", facts.scratch_bytes);
  visit("lds_bytes", facts.lds_bytes);
  visit("kernarg_bytes", facts.kernarg_bytes);
  visit("code_bytes", facts.code_bytes);
  visit("wave_size", facts.wave_size);
  visit("block_threads_max", facts.block_threads_max);
  visit("occupancy_waves", facts.occupancy_waves);
  visit("needs_fibres", facts.needs_fibres);
}

Json counts_to_json(const Counts& counts) {
  Json json = Json::array();
  for (const auto& [bytes_per_lane, instructions] : counts)
    json.push_back({{"bytes_per_lane", bytes_per_lane}, {"instructions", instructions}});
  return json;
}

Counts counts_from_json(const Json& json) {
  Counts counts;
  for (const Json& item : json)
    counts.emplace_back(item.at("bytes_per_lane").get<std::int64_t>(),
                        item.at("instructions").get<std::int64_t>());
  return counts;
}

Json kernel_to_json(const KernelFacts& facts) {
  Json json{{"entry", facts.entry}};
  for_each_field(facts, [&](const char* name, const auto& member) {
    if (member) json[name] = *member;
  });
  if (!facts.global_loads.empty()) json["global_loads"] = counts_to_json(facts.global_loads);
  if (!facts.global_stores.empty()) json["global_stores"] = counts_to_json(facts.global_stores);
  return json;
}

KernelFacts kernel_from_json(const Json& json) {
  KernelFacts facts;
  facts.entry = json.at("entry").get<std::string>();
  for_each_field(facts, [&](const char* name, auto& member) {
    using Field = typename std::decay_t<decltype(member)>::value_type;
    if (json.contains(name)) member = json.at(name).get<Field>();
  });
  if (json.contains("global_loads")) facts.global_loads = counts_from_json(json.at("global_loads"));
  if (json.contains("global_stores"))
    facts.global_stores = counts_from_json(json.at("global_stores"));
  return facts;
}

}  // namespace

Json to_json(const CodeFacts& facts) {
  Json kernels = Json::array();
  for (const KernelFacts& kernel : facts.kernels) kernels.push_back(kernel_to_json(kernel));
  return {{"kernels", kernels}, {"file_bytes", facts.file_bytes}};
}

CodeFacts facts_from_json(const Json& json) {
  CodeFacts facts;
  for (const Json& kernel : json.at("kernels")) facts.kernels.push_back(kernel_from_json(kernel));
  facts.file_bytes = json.at("file_bytes").get<std::int64_t>();
  return facts;
}

}  // namespace fusetune
