#include "bridges/proof_tests.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/tune/campaign.hpp"
#include "harness/tune/case_plan.hpp"

namespace fusetune::bridge {

namespace {

/// Signs that a filter gives a meaning to; keys have none of them but in words of a family's own.
std::string test_name(std::string key) {
  for (char& c : key)
    if (std::string_view(":*?-").find(c) != std::string_view::npos) c = '_';
  return key;
}

/// Shards run side by side, and a store has one writer.
std::filesystem::path store_of_shard(const std::filesystem::path& store) {
  const char* total = std::getenv("GTEST_TOTAL_SHARDS");
  const char* index = std::getenv("GTEST_SHARD_INDEX");
  if (total == nullptr || index == nullptr || std::string_view(total) == "1") return store;
  return store / fmt::format("shard-{}", test_name(index));
}

/// The plan, and the verdicts of what was selected of it.
class Proofs {
 public:
  explicit Proofs(ProofTestOptions options) : options_(std::move(options)) {
    Sweep sweep = load_sweep(options_.sweep);
    if (!options_.device.empty()) sweep.device = options_.device;
    if (!options_.space.empty()) sweep.space = parse_space(options_.space);
    sweep.also_compile.clear();
    device_ = device_properties(sweep.device);
    plan_ = make_plan(sweep, Models::load_default(), device_.target);
  }

  const Plan& plan() const { return plan_; }

  /// Whether some case of the geometry launches something of the variant.
  bool has_launches(const PlannedGeometry& geometry, const Variant& variant) const {
    return std::any_of(geometry.cases.begin(), geometry.cases.end(), [&](const PlannedCase& one) {
      return !launches_of(one.which, variant, plan_.target, device_.facts).empty();
    });
  }

  void select(std::size_t geometry, std::size_t variant) { selected_.emplace(geometry, variant); }

  /// Compiles and proves what was selected, with the baselines that outputs are compared with.
  void prove() {
    Plan part = plan_;
    for (std::size_t g = 0; g < part.geometries.size(); ++g) keep_selected(part, g);
    std::optional<TemporaryFolder> scratch;
    if (options_.store.empty()) scratch.emplace("fusetune-gtest");
    EngineOptions engine;
    engine.store = scratch ? scratch->path() : store_of_shard(options_.store);
    RecordStore records = RecordStore::open(engine.store, true);
    CodeStore code(engine.store);
    SilentProgress progress;
    Session session{records, code, progress, engine, interrupted};
    records.begin_run(plan_.sweep.content_hash, "gtest " + plan_.sweep.name, to_json(part));
    proved_plan_ = std::move(part);
    campaign_ = verify_campaign(proved_plan_, device_, session);
    records.end_run("finished");
  }

  /// The verdict of a selected variant; skipped of one that nothing tells of.
  ProvedVariant verdict(std::size_t geometry, std::size_t variant) const {
    const auto place = places_.find({geometry, variant});
    if (place == places_.end()) return {};
    const CompiledUnit* unit =
        campaign_.compiled.find(geometry, place->second, proved_plan_.target);
    ProvedVariant verdict;
    if (unit != nullptr && !unit->code.outcome.ok()) {
      verdict.outcome = unit->code.outcome;
      return verdict;
    }
    if (const ProvedVariant* proved = campaign_.proofs.find(geometry, place->second))
      return *proved;
    return verdict;
  }

  std::string reproduce(const std::string& which, const std::string& variant) const {
    return fmt::format("{} verify '{}' --variant '{}' --device {}", options_.program, which,
                       variant, plan_.sweep.device);
  }

 private:
  void keep_selected(Plan& part, std::size_t g) {
    PlannedGeometry& geometry = part.geometries[g];
    const Family& family = *geometry.geometry.family;
    const bool any = selected_.lower_bound({g, 0}) != selected_.lower_bound({g + 1, 0});
    std::vector<Variant> kept;
    for (std::size_t v = 0; v < geometry.variants.size(); ++v) {
      const bool selected = selected_.count({g, v}) != 0;
      if (!selected && !(any && geometry.variants[v].implementation == family.baseline)) continue;
      places_[{g, v}] = kept.size();
      kept.push_back(geometry.variants[v]);
    }
    geometry.variants = std::move(kept);
  }

  ProofTestOptions options_;
  DeviceProperties device_;
  Plan plan_, proved_plan_;
  std::set<std::pair<std::size_t, std::size_t>> selected_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> places_;  ///< in proved_plan_
  Campaign campaign_;
};

std::int64_t comparisons_of(const ProvedVariant& proved) {
  std::int64_t comparisons = 0;
  for (const CheckCount& check : proved.checks) comparisons += check.comparisons;
  return comparisons;
}

class ProofTest : public testing::Test {
 public:
  ProofTest(std::shared_ptr<Proofs> proofs, std::size_t geometry, std::size_t variant)
      : proofs_(std::move(proofs)), geometry_(geometry), variant_(variant) {}

  void TestBody() override {
    const PlannedGeometry& geometry = proofs_->plan().geometries[geometry_];
    const std::string key = geometry.variants[variant_].key(*geometry.geometry.family);
    const ProvedVariant verdict = proofs_->verdict(geometry_, variant_);
    const std::int64_t comparisons = comparisons_of(verdict);
    RecordProperty("outcome", std::string(to_string(verdict.outcome.status)));
    RecordProperty("cases", std::to_string(verdict.cases));
    RecordProperty("comparisons", std::to_string(comparisons));
    RecordProperty("proved_on", proofs_->plan().target.name + " " + verdict.modes());
    const std::string& which =
        verdict.failed_case.empty() ? geometry.cases.front().which.key() : verdict.failed_case;
    if (!verdict.outcome.ok())
      FAIL() << to_string(verdict.outcome.status) << " in " << which << "\n"
             << verdict.outcome.message << "\n"
             << proofs_->reproduce(which, key);
    if (comparisons == 0) FAIL() << "nothing was compared\n" << proofs_->reproduce(which, key);
  }

 private:
  std::shared_ptr<Proofs> proofs_;
  std::size_t geometry_, variant_;
};

struct RegisteredTest {
  const testing::TestInfo* info = nullptr;
  std::size_t geometry = 0, variant = 0;
};

/// Filters and shards have been applied when it is set up.
class ProveSelected : public testing::Environment {
 public:
  ProveSelected(std::shared_ptr<Proofs> proofs, std::vector<RegisteredTest> tests)
      : proofs_(std::move(proofs)), tests_(std::move(tests)) {}

  void SetUp() override {
    for (const RegisteredTest& test : tests_)
      if (test.info->should_run()) proofs_->select(test.geometry, test.variant);
    try {
      proofs_->prove();
    } catch (const UserError& error) {
      FAIL() << error.what();
    }
  }

 private:
  std::shared_ptr<Proofs> proofs_;
  std::vector<RegisteredTest> tests_;
};

}  // namespace

std::size_t register_proofs(const ProofTestOptions& options) {
  auto proofs = std::make_shared<Proofs>(options);
  const Plan& plan = proofs->plan();
  std::vector<RegisteredTest> tests;
  for (std::size_t g = 0; g < plan.geometries.size(); ++g) {
    const PlannedGeometry& geometry = plan.geometries[g];
    const Family& family = *geometry.geometry.family;
    const std::string suite = test_name(geometry.geometry.key());
    for (std::size_t v = 0; v < geometry.variants.size(); ++v) {
      const Variant& variant = geometry.variants[v];
      if (!proofs->has_launches(geometry, variant)) continue;
      const Mark& mark = family.find_implementation(variant.implementation)->mark;
      tests.push_back({testing::RegisterTest(suite.c_str(), test_name(variant.key(family)).c_str(),
                                             nullptr, nullptr, mark.file.c_str(), mark.line,
                                             [proofs, g, v]() -> testing::Test* {
                                               return new ProofTest(
                                                   proofs, g, v);  // NOLINT: GoogleTest owns it
                                             }),
                       g, v});
    }
  }
  const std::size_t count = tests.size();
  testing::AddGlobalTestEnvironment(new ProveSelected(std::move(proofs), std::move(tests)));
  return count;
}

}  // namespace fusetune::bridge
