#include "harness/store/record_merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace fusetune {

namespace {

/// What two records of one key must agree in: the verdict and what it rests on. When, where and in
/// what time it was found may differ, and so may which of several variants of equal code it names.
bool says_the_same(const StepRecord& a, const StepRecord& b) {
  return a.status == b.status && a.message == b.message && a.data == b.data;
}

class Merge {
 public:
  Merge(RecordRows& rows, const std::string& here) : rows_(rows) {
    std::vector<RunRecord> runs;
    rows_.runs(runs, left_out_);
    for (const RunRecord& run : runs) runs_.emplace(run.uid, run);
    rows_.deaths(deaths_, left_out_);
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

  void conflict(const std::string& what, const std::string& other) {
    result.conflicts.push_back(fmt::format("{}: {} and {} differ", what, other, now()));
  }

  void take_campaign(const CampaignRecord& campaign) {
    const auto known = rows_.campaign(campaign.key, left_out_);
    if (!known)
      rows_.insert(campaign);
    else if (!known->plan.is_null() && !campaign.plan.is_null() &&
             (known->name != campaign.name || known->plan != campaign.plan))
      conflict(fmt::format("campaign '{}' ({})", campaign.key, campaign.name), names_.front());
  }

  std::int64_t take_run(RunRecord run) {
    const auto known = runs_.find(run.uid);
    if (known == runs_.end()) {
      run.id = rows_.insert(run);
      runs_.emplace(run.uid, run);
      ++result.runs;
      return run.id;
    }
    // One copy may be older than the end of the run.
    if (known->second.ended.empty() && !run.ended.empty()) {
      run.id = known->second.id;
      rows_.replace(run);
      known->second = run;
    }
    return known->second.id;
  }

  void take_step(StepRecord step, std::int64_t run) {
    const auto known = rows_.step(step.kind, step.key, left_out_);
    const std::pair<StepRecord::Kind, std::string> id{step.kind, step.key};
    if (known) {
      ++result.known;
      if (says_the_same(*known, step)) return;
      const auto from = from_.find(id);
      conflict(fmt::format("{} step '{}' ({}; {} there, {} here)", to_string(step.kind), step.key,
                           step.subject, to_string(step.status), to_string(known->status)),
               from == from_.end() ? names_.front() : names_[from->second]);
      return;
    }
    rows_.remove_step(step.kind, step.key);  // a damaged one
    step.run = run;
    rows_.insert(step);
    from_[id] = names_.size() - 1;
    ++result.steps;
  }

  void take_death(WorkerDeath death, std::int64_t run) {
    death.run = run;
    const bool known = std::any_of(deaths_.begin(), deaths_.end(), [&](const WorkerDeath& one) {
      return one.run == death.run && one.at == death.at && one.pid == death.pid;
    });
    if (known) return;
    rows_.insert(death);
    deaths_.push_back(death);
    ++result.deaths;
  }

  RecordRows& rows_;
  RecordRows::OnDamage left_out_ = [](const std::string&) {};  // replaced by what comes in
  std::map<std::string, RunRecord> runs_;                      ///< by uid
  std::vector<WorkerDeath> deaths_;
  std::vector<std::string> names_;  ///< where records came from; the first is this store
  std::map<std::pair<StepRecord::Kind, std::string>, std::size_t> from_;  ///< which of `names_`
};

}  // namespace

RecordStore::MergeResult merge_records(RecordRows& rows, const std::string& here,
                                       const std::vector<std::pair<std::string, RecordSet>>& sets) {
  Merge merge(rows, here);
  for (const auto& [name, set] : sets) merge.take(name, set);
  return merge.result;
}

}  // namespace fusetune
