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
  arena.write_guards();
  arena.write(initial);
  if (!launch(arena, schedule_seed)) return std::nullopt;
  check_guards(arena);
  TensorImages results;
  for (const Buffer& buffer : arena.buffers()) {
    const std::string& name = buffer.tensor->name;
    TensorImage actual = arena.read(buffer);
    check_padding(buffer, actual, initial.at(name));
    if (buffer.tensor->role == Role::in) check_input(buffer, actual, initial.at(name));
    if (is_result(buffer.tensor->role)) results[name] = std::move(actual);
  }
  return results;
}

bool Runner::launch(const Arena& arena, std::uint64_t schedule_seed) {
  const auto count = static_cast<std::int64_t>(variant_.launches.size());
  findings_->count(Check::launch, count, "launches");
  if (count == 0) return true;
  Outcome outcome{Status::launch_error, "there is no code object"};
  device_.schedule(schedule_seed);
  if (variant_.code != nullptr)
    outcome = enqueue(device_, *variant_.code, bind(variant_, which_, arena));
  if (outcome.ok()) outcome = device_.synchronize();
  device_.schedule(0);
  launches_ += count;
  if (outcome.ok()) return true;
  findings_->add(Check::launch, outcome.status,
                 {.tensor = "", .index = 0, .text = fault_text(device_, outcome.message, arena)});
  return false;
}

void Runner::check_guards(const Arena& arena) {
  std::int64_t compared_bytes = 0;
  const std::vector<Breach> breaches = arena.check_guards(&compared_bytes);
  findings_->count(Check::guards, compared_bytes, "bytes");
  for (const Breach& breach : breaches) {
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
