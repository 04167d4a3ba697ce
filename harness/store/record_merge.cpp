#include "harness/store/record_merge.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <stdexcept>

namespace fusetune {

namespace {

/// What two records of one key must agree in: the verdict and what it rests on. When, where and in
/// what time it was found may differ, and so may which of several variants of equal code it names.
bool says_the_same(const StepRecord& a, const StepRecord& b) {
  return a.status == b.status && a.message == b.message && a.data == b.data;
}

/// What never changes of a run; its end may be known to one copy alone.
bool is_the_same(const RunRecord& a, const RunRecord& b) {
  const bool one_end = a.ended.empty() || b.ended.empty() || (a.ended == b.ended && a.how == b.how);
  return one_end && a.campaign == b.campaign && a.pid == b.pid && a.started == b.started &&
         a.harness_version == b.harness_version;
}

class Merge {
 public:
  Merge(RecordRows& rows, const std::string& here) : rows_(rows) {
    std::vector<RunRecord> runs;
    rows_.runs(runs, left_out_);
    for (const RunRecord& run : runs) runs_.emplace(run.uid, run);
    std::vector<WorkerDeath> deaths;
    rows_.deaths(deaths, left_out_);
    deaths_.insert(deaths.begin(), deaths.end());
    names_.push_back(here);
  }

  void take(const std::string& name, const RecordSet& set) {
    names_.push_back(name);
    for (const CampaignRecord& campaign : set.campaigns) take_campaign(campaign);
    std::map<std::int64_t, std::int64_t> here;  // run there -> run here
    for (const RunRecord& run : set.runs) here[run.id] = take_run(run);
    for (const StepRecord& step : set.steps) take_step(step, run_here(here, step.run));
    for (const WorkerDeath& death : set.deaths) take_death(death, run_here(here, death.run));
  }

  RecordStore::MergeResult result;

 private:
  const std::string& now() const { return names_.back(); }

  std::int64_t run_here(const std::map<std::int64_t, std::int64_t>& here, std::int64_t run) const {
    const auto found = here.find(run);
    if (found == here.end())
      throw std::logic_error(
          fmt::format("{}: a record of run {}, of which there is none", now(), run));
    return found->second;
  }

  /// `what` as it is named to people is what it is known by here, too. `more` tells of it.
  void conflict(const std::string& what, const std::string& more) {
    const auto from = from_.find(what);
    const std::string& other = names_[from == from_.end() ? 0 : from->second];
    result.conflicts.push_back(fmt::format("{} ({}): {} and {} differ", what, more, other, now()));
  }
  void came_now(std::string what) { from_.insert_or_assign(std::move(what), names_.size() - 1); }

  void take_campaign(const CampaignRecord& campaign) {
    const std::string what = fmt::format("campaign '{}'", campaign.key);
    const auto known = rows_.campaign(campaign.key, left_out_);
    // Of one whose row was damaged there is the key alone.
    if (!known || (known->plan.is_null() && !campaign.plan.is_null())) {
      rows_.put(campaign);
      came_now(what);
    } else if (!campaign.plan.is_null() &&
               (known->name != campaign.name || known->plan != campaign.plan)) {
      conflict(what, campaign.name);
    }
  }

  std::int64_t take_run(RunRecord run) {
    const std::string what = fmt::format("run '{}'", run.uid);
    const auto known = runs_.find(run.uid);
    if (known == runs_.end()) {
      run.id = rows_.put(run);
      runs_.emplace(run.uid, run);
      came_now(what);
      ++result.runs;
      return run.id;
    }
    RunRecord& here = known->second;
    if (!is_the_same(here, run)) {
      conflict(what, run.started);
    } else if (here.ended.empty() && !run.ended.empty()) {
      here.ended = run.ended;
      here.how = run.how;
      rows_.put(here);
    }
    return here.id;
  }

  void take_step(StepRecord step, std::int64_t run) {
    const std::string what = fmt::format("{} step '{}'", to_string(step.kind), step.key);
    if (const auto known = rows_.step(step.kind, step.key, left_out_)) {
      ++result.known;
      if (!says_the_same(*known, step))
        conflict(what, fmt::format("{}; {} there, {} here", step.subject, to_string(step.status),
                                   to_string(known->status)));
      return;
    }
    rows_.remove_step(step.kind, step.key);  // a damaged one
    step.run = run;
    rows_.insert(step);
    came_now(what);
    ++result.steps;
  }

  void take_death(WorkerDeath death, std::int64_t run) {
    death.run = run;
    if (!deaths_.insert(death).second) return;
    rows_.insert(death);
    ++result.deaths;
  }

  RecordRows& rows_;
  RecordRows::OnDamage left_out_ = [](const std::string&) {};  // replaced by what comes in
  std::map<std::string, RunRecord> runs_;                      ///< by uid
  std::set<WorkerDeath> deaths_;
  std::vector<std::string> names_;           ///< where records came from; the first is this store
  std::map<std::string, std::size_t> from_;  ///< which of `names_`, for what came in
};

}  // namespace

RecordStore::MergeResult merge_records(RecordRows& rows, const std::string& here,
                                       const std::vector<std::pair<std::string, RecordSet>>& sets) {
  Merge merge(rows, here);
  for (const auto& [name, set] : sets) merge.take(name, set);
  return merge.result;
}

}  // namespace fusetune
