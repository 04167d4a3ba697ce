#include "harness/selftest/plants.hpp"

#include "harness/base/error.hpp"

namespace fusetune {

namespace {

using PlantKind = Plant::Kind;

/// As many as a race has surely made of each arm by the time that it has a figure.
constexpr std::int64_t kLaunchesTimed = 300;
constexpr std::int64_t kOneIn = 1000;

Plant plant(PlantKind kind, std::string name, std::string about, std::set<std::string> found_by) {
  Plant made;
  made.kind = kind;
  made.name = std::move(name);
  made.about = std::move(about);
  made.found_by = std::move(found_by);
  return made;
}

Plant after(Plant plant, std::int64_t launches) {
  plant.after = launches;
  return plant;
}

std::vector<Plant> make_plants() {
  std::vector<Plant> all;
  all.push_back(plant(PlantKind::other_stream, "other_stream",
                      "launches go to another stream than the one that is timed",
                      {std::string(kClocks)}));
  all.back().long_launches = true;
  all.push_back(
      after(plant(PlantKind::lost_launches, "one_in_a_thousand_lost",
                  "one of a thousand timed launches does not run", {std::string(kTimedPath)}),
            kOneIn));
  all.push_back(plant(PlantKind::done_once, "first_launch_for_all",
                      "what an earlier launch has left there is not done again",
                      {std::string(kTimedPath), std::string(kClocks)}));
  all.push_back(plant(PlantKind::first_arguments, "first_arguments_in_graphs",
                      "every launch of a graph runs with the arguments of its first",
                      {std::string(kTimedPath)}));
  all.back().graphs = true;
  all.push_back(plant(PlantKind::last_row, "wrong", "the last row of every launch is left out",
                      {std::string(kProofBefore)}));
  all.back().from_start = true;
  all.push_back(plant(PlantKind::half_the_rows, "fast_by_half_the_work",
                      "right until it is timed, then half of its rows are done",
                      {std::string(kProofAfter)}));
  all.push_back(after(plant(PlantKind::last_row, "wrong_while_timed",
                            "right until it was timed for a while, then a row is left out",
                            {std::string(kTimedPath), std::string(kProofAfter)}),
                      kLaunchesTimed));
  all.push_back(
      plant(PlantKind::twice, "slow", "every launch does its work twice", {std::string(kSlower)}));
  all.push_back(after(plant(PlantKind::faults, "faults_while_timed",
                            "a timed launch reads and writes where nothing is mapped",
                            {"kernel_fault", "worker_lost"}),
                      kLaunchesTimed));
  all.push_back(after(
      plant(PlantKind::hangs, "hangs_while_timed", "a timed launch never ends", {"kernel_timeout"}),
      kLaunchesTimed));
  return all;
}

}  // namespace

const std::vector<Plant>& plants() {
  static const std::vector<Plant> all = make_plants();
  return all;
}

const Plant& find_plant(std::string_view name) {
  std::vector<std::string> names;
  for (const Plant& one : plants()) {
    if (one.name == name) return one;
    names.push_back(one.name);
  }
  throw UserError(unknown_name("bug of timed launches", std::string(name), names));
}

}  // namespace fusetune
