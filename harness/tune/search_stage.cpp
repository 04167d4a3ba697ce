#include "harness/tune/search_stage.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "harness/tune/campaign_run.hpp"
#include "harness/tune/geometry_search.hpp"
#include "harness/tune/search_progress.hpp"
#include "harness/tune/table_stage.hpp"

namespace fusetune {

namespace {

class PlanSearch {
 public:
  PlanSearch(const Plan& plan, const DeviceProperties& device, Session& session,
             CampaignWorkers& workers)
      : plan_(plan), device_(device), session_(session), workers_(workers) {
    for (std::size_t g = 0; g < plan.geometries.size(); ++g)
      if (std::vector<std::size_t> variants = searched_variants(plan, plan.geometries[g]);
          !variants.empty())
        searches_.try_emplace(g, plan.geometries[g], std::move(variants), plan.sweep.search);
  }

  bool is_needed() const { return !searches_.empty(); }

  void run(SearchWork& work) {
    std::int64_t variants = 0;
    for (const auto& [g, search] : searches_)
      variants += std::min(plan_.sweep.search.evaluations, search.result().variants);
    SearchProgress progress(session_.progress, variants);
    while (!session_.stop() && run_round(work, progress)) continue;
  }

  /// The plan of what was tried, and of what the tables hold now.
  Plan result(const Incumbents& incumbents) const {
    Plan left = plan_;
    for (const auto& [g, search] : searches_) {
      PlannedGeometry& planned = left.geometries[g];
      Searched searched = search.result();
      std::set<std::size_t> kept;
      for (const std::size_t v : search.tried()) kept.insert(v);
      const Family& family = *planned.geometry.family;
      const std::string key = planned.geometry.key();
      for (std::size_t v = 0; v < planned.variants.size(); ++v) {
        const std::string variant = planned.variants[v].key(family);
        if (planned.variants[v].implementation != family.tuned) kept.insert(v);
        for (const PlannedCase& one : planned.cases)
          if (const auto held = incumbents.find({key, one.which.rows()});
              held != incumbents.end() && held->second == variant) {
            kept.insert(v);
            searched.slow.erase(v);
          }
      }
      keep(planned, kept, searched);
    }
    return left;
  }

 private:
  /// Leaves these variants, whose numbers become others.
  static void keep(PlannedGeometry& planned, const std::set<std::size_t>& kept, Searched searched) {
    std::vector<Variant> variants;
    std::set<std::size_t> slow;
    for (const std::size_t v : kept) {
      if (searched.slow.count(v) != 0) slow.insert(variants.size());
      variants.push_back(std::move(planned.variants[v]));
    }
    searched.slow = std::move(slow);
    planned.variants = std::move(variants);
    planned.searched = std::move(searched);
  }

  /// False when there is nothing more to ask for.
  bool run_round(SearchWork& work, SearchProgress& progress) {
    Plan round;
    round.sweep = plan_.sweep;
    round.sweep.measure.for_search = true;
    round.target = plan_.target;
    round.compile_only = plan_.compile_only;
    round.own_shapes = plan_.own_shapes;
    std::vector<std::size_t> geometries;
    std::vector<std::vector<std::size_t>> asked;
    std::int64_t proposed = 0;
    for (auto& [g, search] : searches_) {
      if (search.is_done()) continue;
      geometries.push_back(g);
      asked.push_back(search.propose());
      proposed += std::ssize(asked.back());
      add_others(plan_.geometries[g], work.rounds == 0, asked.back());
      round.geometries.push_back(part_of(plan_.geometries[g], asked.back()));
    }
    if (geometries.empty()) return false;
    const CapturedCases captured(round);
    Campaign campaign;
    campaign.device = device_;
    campaign.raced = true;
    Session session{session_.records, session_.code, progress, session_.options, session_.stop};
    CampaignRun(round, captured, device_, session, workers_, campaign).run();
    if (session_.stop()) return false;
    for (std::size_t i = 0; i < geometries.size(); ++i) {
      std::vector<const CaseRace*> races;
      for (const CaseRace& race : campaign.races.races)
        if (race.geometry == i) races.push_back(&race);
      searches_.at(geometries[i]).take(asked[i], races);
    }
    ++work.rounds;
    work.compiled += campaign.compiled.compiled;
    work.proved += campaign.proofs.proved;
    work.traced += campaign.traffic.traced;
    work.measured += campaign.races.measured;
    work.reused += campaign.races.reused;
    progress.advance_round(proposed, campaign.did_work() ? StepEnd::done : StepEnd::found);
    return true;
  }

  /// Times are told over the baseline's, and computed outputs are compared with its. The others
  /// come along once: what failed of them before may be asked to be tried again.
  static void add_others(const PlannedGeometry& planned, bool all,
                         std::vector<std::size_t>& asked) {
    const Family& family = *planned.geometry.family;
    for (std::size_t v = 0; v < planned.variants.size(); ++v) {
      const std::string& implementation = planned.variants[v].implementation;
      if (implementation == family.baseline || (all && implementation != family.tuned))
        asked.push_back(v);
    }
  }

  static PlannedGeometry part_of(const PlannedGeometry& planned,
                                 const std::vector<std::size_t>& variants) {
    PlannedGeometry part;
    part.geometry = planned.geometry;
    part.models = planned.models;
    part.verified = planned.verified;
    part.cosine_min = planned.cosine_min;
    part.batch_invariant = planned.batch_invariant;
    part.require = planned.require;
    part.cases = planned.cases;
    for (const std::size_t v : variants) part.variants.push_back(planned.variants[v]);
    return part;
  }

  const Plan& plan_;
  const DeviceProperties& device_;
  Session& session_;
  CampaignWorkers& workers_;
  std::map<std::size_t, GeometrySearch> searches_;  ///< by geometry
};

}  // namespace

SearchedPlan search_plan(Plan plan, const DeviceProperties& device, Session& session) {
  auto workers = std::make_unique<CampaignWorkers>(device, session.options);
  PlanSearch search(plan, device, session, *workers);
  if (!search.is_needed()) return {std::move(plan), {}};
  // As before the campaign itself: hours of work are not to end at a table that cannot be written.
  require_writable_results(device, session.options.results);
  const Tables present = present_tables(plan, device, session.options.results);
  SearchWork work;
  search.run(work);
  return {search.result(incumbents_of(present)), work, std::move(workers)};
}

Campaign tune_searched(SearchedPlan& searched, const DeviceProperties& device,
                       const Session& session) {
  const SearchWork& work = searched.work;
  Session after = session;
  // What failed in the rounds was tried again there.
  if (work.rounds > 0) after.options.retry_failed = false;
  Campaign campaign = tune_campaign(searched.plan, device, after, std::move(searched.workers));
  const auto move = [](std::int64_t done, std::int64_t& now, std::int64_t& found) {
    now += done;
    found = std::max<std::int64_t>(0, found - done);
  };
  move(work.compiled, campaign.compiled.compiled, campaign.compiled.reused);
  move(work.proved, campaign.proofs.proved, campaign.proofs.reused);
  move(work.traced, campaign.traffic.traced, campaign.traffic.reused);
  campaign.search = work;
  return campaign;
}

}  // namespace fusetune
