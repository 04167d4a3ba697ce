#include "harness/verify/binding.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace fusetune {

namespace {

KernelArgument scalar_argument(const Case& which, const std::string& name) {
  const Family& family = *which.geometry.family;
  for (const ScalarDecl& scalar : family.scalars) {
    if (scalar.name != name) continue;
    switch (scalar.type) {
      case ScalarDecl::Type::f32:
        return static_cast<float>(which.scalar(name));
      case ScalarDecl::Type::i32:
        return static_cast<std::int32_t>(which.scalar(name));
      case ScalarDecl::Type::i64:
        return static_cast<std::int64_t>(which.scalar(name));
    }
  }
  throw std::logic_error(fmt::format("family {} has no scalar '{}'", family.name, name));
}

KernelArgument symbol_argument(const Case& which, const std::string& name) {
  const auto found = which.runtime.find(name);
  if (found == which.runtime.end() || !std::holds_alternative<std::int64_t>(found->second))
    throw std::logic_error(fmt::format("the case has no runtime symbol '{}'", name));
  return std::get<std::int64_t>(found->second);
}

KernelArgument bind(const Argument& argument, const Case& which, const Arena& arena) {
  switch (argument.kind) {
    case Argument::Kind::tensor:
      return arena.buffer(argument.name).data;
    case Argument::Kind::row_stride:
      return arena.buffer(argument.name).shape.row_stride;
    case Argument::Kind::symbol:
      return symbol_argument(which, argument.name);
    case Argument::Kind::scalar:
      return scalar_argument(which, argument.name);
  }
  throw std::logic_error("an argument of no kind");
}

}  // namespace

KernelLaunch bind(const Launch& launch, const Case& which, const Arena& arena) {
  KernelLaunch bound;
  bound.entry = launch.entry;
  bound.grid = launch.grid;
  bound.block = launch.block;
  bound.lds_bytes = launch.lds_bytes;
  bound.arguments.reserve(launch.arguments.size());
  for (const Argument& argument : launch.arguments)
    bound.arguments.push_back(bind(argument, which, arena));
  return bound;
}

std::vector<KernelLaunch> bind(const RunnableVariant& variant, const Case& which,
                               const Arena& arena) {
  std::vector<KernelLaunch> bound;
  bound.reserve(variant.launches.size());
  for (const Launch& launch : variant.launches) bound.push_back(bind(launch, which, arena));
  return bound;
}

Outcome enqueue(Device& device, const LoadedCode& code, const std::vector<KernelLaunch>& launches) {
  for (const KernelLaunch& launch : launches)
    if (Outcome outcome = device.launch(code, launch); !outcome.ok()) return outcome;
  return {};
}

}  // namespace fusetune
