#include "harness/device/simulated/simulated_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "harness/base/error.hpp"
#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// "FT_BLOCK_SIZE" to "block_size".
std::string name_of_macro(const std::string& macro) { return lower(macro.substr(3)); }

std::optional<std::int64_t> integer_of(std::string_view text) {
  if (text.starts_with('(')) text = text.substr(1, text.size() - 2);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Macros as names of expressions: numbers, and words with their values.
void add_names(const std::map<std::string, std::string>& macros, Bindings& values,
               SymbolTable& symbols) {
  for (const auto& [macro, text] : macros) {
    const std::string name = name_of_macro(macro);
    if (const auto integer = integer_of(text)) {
      values[name] = *integer;
      symbols[name] = {};
    } else if (text.starts_with(macro + "_")) {
      SymbolType type{Type::enumeration, name, {}};
      for (const auto& [other, index] : macros)
        if (other.starts_with(macro + "_"))
          type.values.push_back(lower(other.substr(macro.size() + 1)));
      values[name] = Enum{lower(text.substr(macro.size() + 1))};
      symbols[name] = std::move(type);
    }
  }
}

}  // namespace

SimulatedProgram::SimulatedProgram(SimulatedCode code, const Simulation& simulation,
                                   std::shared_ptr<std::uint64_t> session)
    : code_(std::move(code)),
      simulation_(simulation),
      session_(std::move(session)),
      identity_(hash64(code_.identity.data(), code_.identity.size())) {
  add_names(code_.macros, values_, symbols_);
  std::vector<std::string> entries;
  for (const auto& [entry, arguments] : code_.entries) entries.push_back(entry);
  faults_ = simulation_.faults_of(false, entries, code_.macros);
}

Outcome SimulatedProgram::bind(const KernelLaunch& launch, SimulatedLaunch* bound) const {
  const auto entry = code_.entries.find(launch.entry);
  if (entry == code_.entries.end())
    return {Status::launch_error, fmt::format("the code has no entry {}", launch.entry)};
  const std::vector<Argument>& arguments = entry->second;
  if (launch.arguments.size() != arguments.size())
    return {Status::launch_error,
            fmt::format("{} takes {} arguments, the launch has {}", launch.entry, arguments.size(),
                        launch.arguments.size())};
  for (const auto& [name, value] : values_)
    if (const auto* integer = std::get_if<std::int64_t>(&value)) bound->numbers[name] = *integer;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (const auto* pointer = std::get_if<DevicePointer>(&launch.arguments[i]);
        pointer != nullptr && arguments[i].kind == Argument::Kind::tensor)
      bound->tensors[arguments[i].name] = *pointer;
    else if (const auto* integer = std::get_if<std::int64_t>(&launch.arguments[i]))
      bound->numbers[arguments[i].name] = *integer;
  }
  bound->grid_blocks = launch.grid[0] * launch.grid[1] * launch.grid[2];
  bound->numbers["grid_blocks"] = bound->grid_blocks;
  bound->numbers["block_threads"] = launch.block[0] * launch.block[1] * launch.block[2];
  return {};
}

std::optional<double> SimulatedProgram::time_us(const std::string& entry,
                                                const SimulatedLaunch& launch,
                                                std::uint64_t sample) const {
  std::string key = entry;
  for (const auto& [name, value] : launch.numbers) key += fmt::format(" {}", value);
  const auto [known, is_new] = timings_.try_emplace(std::move(key));
  Timing& timing = known->second;
  if (is_new && simulation_.recorded.empty()) timing.us = formula_us(entry, launch);
  if (simulation_.recorded.empty()) return timing.us;
  if (is_new) {
    timing.series = series_of(entry, launch);
    timing.sample = sample;
  }
  if (timing.series == nullptr) return std::nullopt;
  if (timing.sample != sample) ++timing.played;
  timing.sample = sample;
  return timing.series->us[timing.played % timing.series->us.size()];
}

const RecordedSeries* SimulatedProgram::series_of(const std::string& entry,
                                                  const SimulatedLaunch& launch) const {
  const auto fits = [&](const RecordedSeries& series) {
    return series.entry == entry &&
           std::all_of(series.values.begin(), series.values.end(), [&](const auto& wanted) {
             const auto number = launch.numbers.find(wanted.first);
             if (number != launch.numbers.end())
               return std::to_string(number->second) == wanted.second;
             // What the code does not depend on may have any value.
             const auto word = values_.find(wanted.first);
             return word == values_.end() || to_string(word->second) == wanted.second;
           });
  };
  const auto found = std::find_if(simulation_.recorded.begin(), simulation_.recorded.end(), fits);
  return found == simulation_.recorded.end() ? nullptr : &*found;
}

std::string SimulatedProgram::text(const std::string& entry) const {
  return fmt::format("{} with {}", entry, to_string(values_));
}

double SimulatedProgram::formula_us(const std::string& entry, const SimulatedLaunch& launch) const {
  const auto formula = simulation_.times.find(entry);
  if (formula == simulation_.times.end() && entry.starts_with("calibrate_")) {
    // A start, and the memory.
    const auto bytes = static_cast<double>(find_simulated_kernel(entry)->touched_bytes(launch));
    return 1 + bytes / simulation_.queue.copy_bytes_per_us;
  }
  if (formula == simulation_.times.end()) {
    // Without a formula: a start, the blocks, and a share of luck that belongs to the code.
    const double luck = static_cast<double>(identity_ % 1024) / 1024;
    return (10 + 0.05 * static_cast<double>(launch.grid_blocks)) * (1 + luck);
  }
  const auto [known, is_new] = formulas_.try_emplace(entry);
  if (is_new) {
    SymbolTable symbols = symbols_;
    for (const auto& [name, value] : launch.numbers) symbols.try_emplace(name);
    known->second = Expr::parse(formula->second.nanoseconds, symbols, formula->second.mark);
  }
  Bindings values = values_;
  for (const auto& [name, value] : launch.numbers) values[name] = value;
  const std::int64_t nanoseconds = known->second.eval_int(values);
  if (nanoseconds <= 0)
    throw UserError(formula->second.mark,
                    fmt::format("the time of {} is {} ns; it must be above 0", entry, nanoseconds));
  return static_cast<double>(nanoseconds) / 1000;
}

const SimulatedFault* SimulatedProgram::next_fault(const std::string& entry,
                                                   std::int64_t blocks) const {
  ++launches_;
  for (const SimulatedFault* fault : faults_) {
    if (!fault->entry.empty() && fault->entry != entry) continue;
    if (blocks < fault->blocks) continue;
    const bool begun = launches_ >= fault->launch;
    if (begun && (fault->times == 0 || launches_ < fault->launch + fault->times)) return fault;
  }
  return nullptr;
}

}  // namespace fusetune
