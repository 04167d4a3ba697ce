#pragma once
// The variants of a baseline made runnable here: compiled from the sources that were accepted, and
// proved at the shapes that they are raced at.

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/gate/baseline_file.hpp"
#include "harness/gate/duel.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/compile_stage.hpp"

namespace fusetune {

class BaselineSide {
 public:
  /// Sources are laid out in the session's store. References must outlive it.
  BaselineSide(const BaselineFile& baseline, SourceFolder sources, const Plan& candidate,
               const DeviceProperties& device, Session& session);

  /// A case of the candidate's and what is accepted for it; its number. What is wrong with it is
  /// problem().
  std::size_t add(const Case& which, const BaselineCase& accepted);
  void compile();
  /// At their own shapes, these of them.
  void prove(const std::vector<std::size_t>& numbers);

  /// "" while nothing is wrong: why it cannot be compared with here.
  const std::string& problem(std::size_t number) const { return entries_[number].problem; }
  const std::string& code_identity(std::size_t number) const;
  /// launch_plan_key() of what it launches.
  std::string launches(std::size_t number) const;
  DuelArm arm(std::size_t number) const;

 private:
  struct Entry {
    std::size_t geometry = 0, variant = 0;
    Case which;
    std::string problem;
  };
  std::shared_ptr<const Family> family_of(const std::string& snapshot);
  void place(const Case& own, const Variant& variant, Entry& entry);
  const CompiledUnit& unit(const Entry& entry) const;

  const BaselineFile& baseline_;
  SourceFolder sources_;
  const DeviceProperties& device_;
  Session& session_;
  SourceReader reader_;
  Plan plan_;
  std::map<std::string, std::shared_ptr<const Family>> families_;  ///< by snapshot
  std::map<std::string, std::size_t> geometries_;                  ///< by snapshot and key
  std::vector<Entry> entries_;
  CompileSummary compiled_;
};

}  // namespace fusetune
