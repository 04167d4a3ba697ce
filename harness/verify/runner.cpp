#include "harness/verify/runner.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "harness/verify/binding.hpp"
#include "harness/verify/compare.hpp"
#include "harness/verify/problem.hpp"

namespace fusetune {

std::string fault_text(const Device& device, const std::string& message, const Arena& arena) {
  if (const std::optional<Fault> fault = device.last_fault(); fault && fault->buffer != 0) {
    const std::string place = arena.locate(fault->buffer + fault->offset_bytes);
    if (!place.empty())
      return fmt::format("{} {}: {}", fault->write ? "write" : "read", place, message);
  }
  return with_places(message, arena);
}

std::string with_places(const std::string& message, const Arena& arena) {
  std::string text;
  std::size_t done = 0;
  for (std::size_t at = message.find("0x"); at != std::string::npos;
       at = message.find("0x", done)) {
    char* end = nullptr;
    const DevicePointer address = std::strtoull(message.c_str() + at, &end, 16);
    const auto past = static_cast<std::size_t>(end - message.c_str());
    text += message.substr(done, past - done);
    if (const std::string place = arena.locate(address); !place.empty())
      text += fmt::format(" ({})", place);
    done = past;
  }
  return text + message.substr(done);
}

std::optional<TensorImages> Runner::run(Arena& arena, const TensorImages& initial,
                                        std::uint64_t schedule_seed) {
  const Run only{&arena, &initial};
  std::vector<TensorImages> results = run({&only, 1}, schedule_seed);
  if (results.empty()) return std::nullopt;
  return std::move(results.front());
}

std::vector<TensorImages> Runner::run(std::span<const Run> runs, std::uint64_t schedule_seed) {
  for (const Run& run : runs) exchange_.fill(*run.arena, *run.initial);
  if (!launch(runs, schedule_seed)) return {};
  std::vector<TensorImages> results;
  for (const Run& run : runs) results.push_back(collect(run));
  return results;
}

TensorImages Runner::collect(const Run& run) {
  ArenaContent content = exchange_.read(*run.arena, *run.initial);
  check_guards(*run.arena, content);
  TensorImages results;
  for (const Buffer& buffer : run.arena->buffers()) {
    const std::string& name = buffer.tensor->name;
    const TensorImage& initial = run.initial->at(name);
    TensorImage& actual = content.images.at(name);
    if (buffer.over.empty()) check_padding(buffer, actual, initial);
    if (buffer.tensor->role == Role::in && !buffer.overwritten)
      check_input(buffer, actual, initial);
    if (is_result(buffer.tensor->role)) results[name] = std::move(actual);
  }
  return results;
}

bool Runner::launch(std::span<const Run> runs, std::uint64_t schedule_seed) {
  const std::int64_t count = std::ssize(variant_.launches) * std::ssize(runs);
  findings_->count(Check::launch, count, "launches");
  if (count == 0) return true;
  Outcome outcome{Status::launch_error, "there is no code object"};
  if (variant_.code != nullptr) {
    watch(runs);
    device_.schedule(schedule_seed);
    if (variant_.around_launches) variant_.around_launches(true);
    outcome = enqueue_all(runs);
    if (variant_.around_launches) variant_.around_launches(false);
    device_.schedule(0);
  }
  launches_ += count;
  if (outcome.ok()) {
    if (variant_.code->exact() && runs.size() == 1) check_writers(*runs.front().arena);
    return true;
  }
  std::string text = outcome.message;
  for (const Run& run : runs)
    if (text == outcome.message) text = fault_text(device_, outcome.message, *run.arena);
  findings_->add(Check::launch, outcome.status, {.tensor = "", .index = 0, .text = text});
  return false;
}

Outcome Runner::enqueue_all(std::span<const Run> runs) {
  for (const Run& run : runs)
    if (Outcome outcome = enqueue(device_, *variant_.code, bind(variant_, which_, *run.arena));
        !outcome.ok())
      return outcome;
  return device_.synchronize();
}

void Runner::watch(std::span<const Run> runs) {
  if (!variant_.code->exact()) return;
  std::vector<WatchedTensor> tensors;
  for (const Run& run : runs)
    for (WatchedTensor& tensor : run.arena->watched()) {
      if (&run != runs.data()) tensor.name += " of the second run";
      tensors.push_back(std::move(tensor));
    }
  device_.watch(std::move(tensors));
}

void Runner::check_writers(const Arena& arena) {
  std::int64_t elements = 0;
  for (const Buffer& buffer : arena.buffers())
    if (buffer.tensor->role == Role::out && buffer.over.empty())
      elements += buffer.shape.elements();
  findings_->count(Check::writers, elements, "elements");
  for (const UnwrittenRange& range : device_.unwritten()) {
    const Buffer& buffer = arena.buffer(range.tensor);
    if (buffer.tensor->role != Role::out) continue;  // a workspace may stay as it is
    const std::int64_t element_bytes = size_bytes(buffer.shape.dtype);
    const std::int64_t stride_bytes = buffer.shape.row_stride * element_bytes;
    const std::int64_t first = range.first_byte / stride_bytes * buffer.shape.row_elements +
                               range.first_byte % stride_bytes / element_bytes;
    const std::int64_t past =
        first +
        (range.first_byte % element_bytes + range.bytes + element_bytes - 1) / element_bytes;
    for (std::int64_t index = first; index < past; ++index)
      if (!findings_->count_only(Check::writers))
        findings_->add(Check::writers, Status::unwritten_output,
                       {.tensor = range.tensor,
                        .index = index,
                        .text = describe(which_, reference_, range.tensor, index) +
                                " was not written by any thread"});
  }
}

void Runner::check_guards(const Arena& arena, const ArenaContent& content) {
  findings_->count(Check::guards, content.guard_bytes, "bytes");
  for (const Breach& breach : content.breaches) {
    // Whole elements: one byte of a stray element may equal the guard by chance.
    const auto element =
        static_cast<std::size_t>(size_bytes(arena.buffer(breach.tensor).shape.dtype));
    const std::size_t skipped = breach.first_byte / element * element;
    const std::size_t changed = (breach.last_byte / element + 1) * element - skipped;
    const char* side = breach.past_end ? "past the end of" : "before";
    std::string text =
        skipped == 0
            ? fmt::format("wrote {} bytes {} {}", changed, side, breach.tensor)
            : fmt::format("wrote {} bytes, {} bytes {} {}", changed, skipped, side, breach.tensor);
    findings_->add(Check::guards, Status::out_of_bounds,
                   {.tensor = breach.tensor, .index = 0, .text = std::move(text)});
  }
}

void Runner::check_padding(const Buffer& buffer, const TensorImage& actual,
                           const TensorImage& initial) {
  findings_->count(Check::row_padding, actual.padding_bytes(), "bytes");
  const std::optional<PaddingDifference> found = compare_padding(actual, initial);
  if (!found) return;
  findings_->add(Check::row_padding, Status::out_of_bounds,
                 {.tensor = buffer.tensor->name,
                  .index = (found->row + 1) * actual.shape.row_elements - 1,
                  .text = fmt::format("wrote {} bytes into the row padding of {}, {} bytes past "
                                      "the last element of row {} ({} bytes over all rows)",
                                      found->bytes, buffer.tensor->name, found->first_byte,
                                      found->row, found->total_bytes)});
}

void Runner::check_input(const Buffer& buffer, const TensorImage& actual,
                         const TensorImage& initial) {
  const std::string& name = buffer.tensor->name;
  const std::int64_t compared = for_each_difference(actual, initial, [&](std::int64_t index) {
    if (findings_->count_only(Check::inputs_unchanged)) return;
    findings_->add(Check::inputs_unchanged, Status::input_modified,
                   {.tensor = name,
                    .index = index,
                    .text = fmt::format("input {} was changed at element {}: {} became {}", name,
                                        index, hex_of(initial, index), hex_of(actual, index))});
  });
  findings_->count(Check::inputs_unchanged, compared * actual.element_bytes(), "bytes");
}

}  // namespace fusetune
