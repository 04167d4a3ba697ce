#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/spec/geometry_parts.hpp"

namespace fusetune {

namespace {

// The limits that HIP and CUDA share.
constexpr std::int64_t kGridMax[3] = {2147483647, 65535, 65535};

std::array<std::int64_t, 3> eval_dims(const std::vector<Expr>& dims, const Bindings& scope) {
  std::array<std::int64_t, 3> values{1, 1, 1};
  for (std::size_t i = 0; i < dims.size(); ++i) values[i] = dims[i].eval_int(scope);
  return values;
}

/// False when there is nothing to launch. Throws EvalError for what no device takes.
bool check_grid(const Launch& launch) {
  bool empty = false;
  for (std::size_t i = 0; i < 3; ++i) {
    if (launch.grid[i] < 0 || launch.grid[i] > kGridMax[i])
      throw EvalError(fmt::format("{}: grid dimension {} is {}, not within 0 to {}", launch.entry,
                                  i, launch.grid[i], kGridMax[i]));
    empty = empty || launch.grid[i] == 0;
  }
  return !empty;
}

void check_block(const Launch& launch, const DeviceFacts& device) {
  std::int64_t threads = 1;
  for (const std::int64_t size : launch.block) {
    if (size < 1) throw EvalError(fmt::format("{}: block dimension is {}", launch.entry, size));
    threads = checked_multiply(threads, size, launch.entry);
  }
  if (threads > device.block_threads_max)
    throw EvalError(fmt::format("{}: a block of {} threads; the device takes {}", launch.entry,
                                threads, device.block_threads_max));
  if (launch.lds_bytes < 0 || launch.lds_bytes > device.lds_bytes_max)
    throw EvalError(fmt::format("{}: {} bytes of LDS; the device has {}", launch.entry,
                                launch.lds_bytes, device.lds_bytes_max));
}

bool symbol_is_there(const SymbolDecl& symbol, const Bindings& statics) {
  return !symbol.when || symbol.when->eval_bool(statics);
}

}  // namespace

std::vector<Argument> arguments_of(const Geometry& geometry, const LaunchDecl& launch) {
  return arguments_of(geometry, launch, scope_of(geometry));
}

std::vector<Argument> arguments_of(const Geometry& geometry, const LaunchDecl& launch,
                                   const Bindings& scope) {
  const Family& family = *geometry.family;
  std::vector<std::string> names = launch.arguments;
  if (names.empty()) {
    for (const TensorDecl& tensor : family.tensors) names.push_back(tensor.name);
    for (const std::string& symbol : family.runtime_symbols()) names.push_back(symbol);
    for (const ScalarDecl& scalar : family.scalars) names.push_back(scalar.name);
  }
  std::vector<Argument> arguments;
  for (const std::string& name : names) {
    if (const TensorDecl* tensor = family.find_tensor(name)) {
      if (!geometry.has(name)) continue;
      arguments.push_back({Argument::Kind::tensor, name});
      if (tensor->runtime_row_stride) arguments.push_back({Argument::Kind::row_stride, name});
    } else if (const SymbolDecl* symbol = family.find_symbol(name)) {
      if (symbol_is_there(*symbol, scope)) arguments.push_back({Argument::Kind::symbol, name});
    } else {
      arguments.push_back({Argument::Kind::scalar, name});
    }
  }
  return arguments;
}

struct CaseLaunches::Base {
  Scope scope;
};

CaseLaunches::CaseLaunches(const Case& which, const Target& target, const DeviceFacts& device)
    : geometry_(which.geometry),
      device_(device),
      base_(std::make_shared<Base>(
          Base{scope_parts(which.geometry, &target, nullptr, &which, &device)})) {}

std::vector<Launch> CaseLaunches::of(const Variant& variant) const {
  const Family& family = *geometry_.family;
  const ImplementationDecl* implementation = family.find_implementation(variant.implementation);
  if (implementation == nullptr)
    throw EvalError(
        fmt::format("{} has no implementation '{}'", family.name, variant.implementation));
  Scope scope = base_->scope;
  for (const auto& [name, value] : variant.axes) scope.values[name] = value;
  add_derived(family, scope);
  std::vector<Launch> launches;
  for (const LaunchDecl& decl : implementation->launches) {
    if (decl.when && !decl.when->eval_bool(scope.values)) continue;
    Launch launch;
    launch.entry = decl.entry;
    launch.grid = eval_dims(decl.grid, scope.values);
    if (!check_grid(launch)) continue;
    launch.block = eval_dims(decl.block, scope.values);
    launch.lds_bytes = decl.lds_bytes.eval_int(scope.values);
    check_block(launch, device_);
    launch.arguments = arguments_of(geometry_, decl, scope.values);
    launches.push_back(std::move(launch));
  }
  return launches;
}

std::vector<Launch> launches_of(const Case& which, const Variant& variant, const Target& target,
                                const DeviceFacts& device) {
  return CaseLaunches(which, target, device).of(variant);
}

std::string launch_plan_key(const std::vector<Launch>& launches) {
  std::string key;
  for (const Launch& launch : launches) {
    key += fmt::format("{}<<<{}x{}x{},{}x{}x{},{}>>>(", launch.entry, launch.grid[0],
                       launch.grid[1], launch.grid[2], launch.block[0], launch.block[1],
                       launch.block[2], launch.lds_bytes);
    for (const Argument& argument : launch.arguments) {
      const char* kind = argument.kind == Argument::Kind::tensor       ? "*"
                         : argument.kind == Argument::Kind::row_stride ? "stride "
                         : argument.kind == Argument::Kind::symbol     ? ""
                                                                       : "scalar ";
      key += kind + argument.name + ",";
    }
    if (key.back() == ',') key.pop_back();
    key += ");";
  }
  return key;
}

}  // namespace fusetune
