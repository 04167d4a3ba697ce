#include "harness/selftest/planted_device.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <variant>

namespace fusetune {

namespace {

using PlantKind = Plant::Kind;

/// Nothing is mapped there.
constexpr DevicePointer kNowhere = 16;

/// Launches that go wrong one at a time, as they are submitted.
class LaunchList : public LaunchGraph {
 public:
  explicit LaunchList(std::span<const QueuedLaunch> launches)
      : launches_(launches.begin(), launches.end()) {}
  const std::vector<QueuedLaunch>& launches() const { return launches_; }

 private:
  std::vector<QueuedLaunch> launches_;
};

/// Two graphs, of which one stands for launches that are right and one for what they become: a list
/// launched one by one would be so much slower than a graph that clocks tell of it.
struct TurningGraph : public LaunchGraph {
  std::unique_ptr<LaunchGraph> right, wrong;
  std::int64_t launches = 0;
};

std::string text_of(const KernelLaunch& launch) {
  std::string text = launch.entry;
  for (const KernelArgument& argument : launch.arguments)
    text += std::visit([](const auto& value) { return fmt::format(",{}", value); }, argument);
  return text;
}

/// As a launch of `done` rows would be: a kernel may trust its grid to have no block without rows.
void set_rows(KernelLaunch& launch, std::int64_t rows, std::int64_t done) {
  for (auto argument = launch.arguments.rbegin(); argument != launch.arguments.rend(); ++argument)
    if (const auto* number = std::get_if<std::int64_t>(&*argument); number && *number == rows) {
      *argument = done;
      launch.grid[0] = std::max<std::int64_t>(1, (launch.grid[0] * done + rows - 1) / rows);
      return;
    }
}

/// Whether the launches of a graph go wrong alike each time that it is replayed.
bool is_fixed(const Plant& plant) {
  return plant.after == 0 && plant.kind != PlantKind::other_stream &&
         plant.kind != PlantKind::done_once;
}

/// Whether its launches are right at first and then wrong alike.
bool turns(const Plant& plant) { return plant.after > 0 && plant.kind == PlantKind::last_row; }

}  // namespace

DevicePointer PlantedDevice::allocate(std::size_t size_bytes, Place place) {
  done_.clear();
  return inner().allocate(size_bytes, place);
}

std::vector<KernelLaunch> PlantedDevice::changed(KernelLaunch launch) {
  ++launches_;
  const bool late = launches_ > plant_.after;
  switch (plant_.kind) {
    case PlantKind::lost_launches:
      if (launches_ % plant_.after == 0) return {};
      break;
    case PlantKind::done_once:
      if (!done_.insert(text_of(launch)).second) return {};
      break;
    case PlantKind::half_the_rows:
      set_rows(launch, rows_, rows_ / 2);
      break;
    case PlantKind::last_row:
      if (late) set_rows(launch, rows_, rows_ - 1);
      break;
    case PlantKind::twice:
      return {launch, launch};
    case PlantKind::hangs:
      if (late)
        for (;;) ::pause();
      break;
    case PlantKind::faults:
      for (KernelArgument& argument : launch.arguments)
        if (late && std::holds_alternative<DevicePointer>(argument)) argument = kNowhere;
      break;
    case PlantKind::other_stream:
    case PlantKind::first_arguments:
      break;
  }
  return {launch};
}

Outcome PlantedDevice::launch(const LoadedCode& code, const KernelLaunch& launch) {
  if (&code != code_) return inner().launch(code, launch);
  for (const KernelLaunch& one : changed(launch)) {
    Outcome outcome = plant_.kind == PlantKind::other_stream ? inner().launch_beside(code, one)
                                                             : inner().launch(code, one);
    if (!outcome.ok()) return outcome;
  }
  return {};
}

std::unique_ptr<LaunchGraph> PlantedDevice::record(std::span<const QueuedLaunch> launches,
                                                   Outcome* outcome) {
  if (launches.empty() || launches.front().code != code_) return inner().record(launches, outcome);
  if (turns(plant_)) return record_both(launches, outcome);
  if (!is_fixed(plant_)) return std::make_unique<LaunchList>(launches);
  std::vector<QueuedLaunch> list;
  for (const QueuedLaunch& queued : launches) {
    const bool first = plant_.kind == PlantKind::first_arguments;
    for (const KernelLaunch& one : changed(first ? launches.front().launch : queued.launch))
      list.push_back({queued.code, one});
  }
  return inner().record(list, outcome);
}

std::unique_ptr<LaunchGraph> PlantedDevice::record_both(std::span<const QueuedLaunch> launches,
                                                        Outcome* outcome) {
  auto graph = std::make_unique<TurningGraph>();
  graph->launches = std::ssize(launches);
  graph->right = inner().record(launches, outcome);
  std::vector<QueuedLaunch> wrong(launches.begin(), launches.end());
  for (QueuedLaunch& queued : wrong) set_rows(queued.launch, rows_, rows_ - 1);
  if (graph->right) graph->wrong = inner().record(wrong, outcome);
  return graph->wrong ? std::move(graph) : nullptr;
}

Outcome PlantedDevice::replay(const LaunchGraph& graph) {
  if (const auto* both = dynamic_cast<const TurningGraph*>(&graph)) {
    const bool late = launches_ >= plant_.after;
    launches_ += both->launches;
    return inner().replay(late ? *both->wrong : *both->right);
  }
  const auto* list = dynamic_cast<const LaunchList*>(&graph);
  if (list == nullptr) return inner().replay(graph);
  for (const QueuedLaunch& queued : list->launches())
    if (Outcome outcome = launch(*queued.code, queued.launch); !outcome.ok()) return outcome;
  return {};
}

}  // namespace fusetune
