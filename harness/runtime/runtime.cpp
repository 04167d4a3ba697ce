#include "harness/runtime/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/device/device.hpp"
#include "harness/runtime/observed_device.hpp"

namespace fusetune::runtime {

namespace {

std::string dims_text(const std::array<std::int64_t, 3>& dims) {
  return fmt::format("{} x {} x {}", dims[0], dims[1], dims[2]);
}

std::unique_ptr<Compiler> compiler_for(const Target& target) {
  if (target.platform == Platform::host) return make_host_compiler();
  std::string reason;
  std::unique_ptr<Compiler> compiler = load_compiler_module(target.platform, &reason);
  if (!compiler) throw Error(fmt::format("nothing compiles for {}: {}", target.name, reason));
  return compiler;
}

KernelArgument scalar_argument(const ScalarDecl& decl, const Arguments& given) {
  const auto value = given.scalars.find(decl.name);
  const double number = value == given.scalars.end() ? decl.default_value : value->second;
  switch (decl.type) {
    case ScalarDecl::Type::f32:
      return static_cast<float>(number);
    case ScalarDecl::Type::i32:
      return static_cast<std::int32_t>(number);
    case ScalarDecl::Type::i64:
      break;
  }
  return static_cast<std::int64_t>(number);
}

[[noreturn]] void lacks(const char* what, const std::string& name) {
  throw Error(
      fmt::format("the launch needs the {} {}, and its arguments do not have it", what, name));
}

const Arguments::Tensor& tensor_of(const Arguments& given, const std::string& name) {
  const auto tensor = given.tensors.find(name);
  if (tensor == given.tensors.end()) lacks("tensor", name);
  return tensor->second;
}

KernelArgument argument_of(const Family& family, const Argument& argument, const Arguments& given) {
  switch (argument.kind) {
    case Argument::Kind::tensor:
      return reinterpret_cast<DevicePointer>(tensor_of(given, argument.name).pointer);
    case Argument::Kind::row_stride:
      return tensor_of(given, argument.name).row_stride;
    case Argument::Kind::symbol: {
      const auto symbol = given.symbols.find(argument.name);
      if (symbol == given.symbols.end()) lacks("symbol", argument.name);
      return symbol->second;
    }
    case Argument::Kind::scalar:
      break;
  }
  for (const ScalarDecl& decl : family.scalars)
    if (decl.name == argument.name) return scalar_argument(decl, given);
  lacks("scalar", argument.name);
}

}  // namespace

std::string to_string(const Launch& launch) {
  return fmt::format("{}: grid {}, block {}, {} bytes of LDS, code {}", launch.entry,
                     dims_text(launch.grid), dims_text(launch.block), launch.lds_bytes,
                     launch.code_identity);
}

std::vector<std::string> differences(const std::vector<Launch>& expected,
                                     const std::vector<Launch>& seen) {
  std::vector<std::string> found;
  const std::size_t both = std::min(expected.size(), seen.size());
  for (std::size_t i = 0; i < both; ++i)
    if (expected[i] != seen[i])
      found.push_back(fmt::format("launch {}: expected {}; launched {}", i, to_string(expected[i]),
                                  to_string(seen[i])));
  for (std::size_t i = both; i < expected.size(); ++i)
    found.push_back(
        fmt::format("launch {}: expected {}; nothing was launched", i, to_string(expected[i])));
  for (std::size_t i = both; i < seen.size(); ++i)
    found.push_back(
        fmt::format("launch {}: nothing was expected; launched {}", i, to_string(seen[i])));
  return found;
}

struct Device::Impl {
  /// Where code lies until it is loaded.
  struct CompiledCode {
    std::string path;
    std::string source_hash;
  };

  std::unique_ptr<fusetune::Device> device;
  std::optional<ObservedDevice> observed;
  std::optional<CountingCompiler> compiler;
  SourceReader sources;
  TemporaryFolder folder{"fusetune-runtime"};
  std::map<std::string, CompiledCode> compiled;  ///< by content

  CompiledCode compile(const CompileRequest& request);
};

struct Kernel::Impl {
  ObservedDevice* device = nullptr;
  std::unique_ptr<LoadedCode> code;
  std::shared_ptr<const Family> family;
  std::map<std::string, std::vector<Argument>> entries;
  std::string code_identity, source_hash;
  std::vector<std::string> strangeness;

  ~Impl() {
    if (code) device->forget(*code);
  }
};

Device::Impl::CompiledCode Device::Impl::compile(const CompileRequest& request) {
  const std::string key = request.key(compiler->identity());
  if (const auto known = compiled.find(key); known != compiled.end()) return known->second;
  const CompileResult result = compiler->compile(request);
  if (!result.outcome.ok())
    throw Error(fmt::format("{}: {}: {}", request.source.name,
                            fusetune::to_string(result.outcome.status), result.outcome.message));
  CompiledCode code{(folder.path() / (key + ".co")).string(), request.source_hash()};
  write_file_atomic(code.path, result.code, Durability::process_kill);
  return compiled.emplace(key, std::move(code)).first->second;
}

Kernel::Kernel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Kernel::~Kernel() = default;
Kernel::Kernel(Kernel&&) noexcept = default;
Kernel& Kernel::operator=(Kernel&&) noexcept = default;
const std::string& Kernel::code_identity() const { return impl_->code_identity; }
const std::string& Kernel::source_hash() const { return impl_->source_hash; }
const std::vector<std::string>& Kernel::strangeness() const { return impl_->strangeness; }

Device::Device(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Device::~Device() = default;
Device::Device(Device&&) noexcept = default;
Device& Device::operator=(Device&&) noexcept = default;

Device Device::open(std::string_view name) {
  try {
    auto impl = std::make_unique<Impl>();
    impl->device = open_device(name);
    impl->observed.emplace(*impl->device);
    impl->compiler.emplace(compiler_for(impl->device->properties().target));
    return Device(std::move(impl));
  } catch (const UserError& error) {
    throw Error(error.what());
  }
}

const std::string& Device::name() const { return impl_->device->properties().name; }
const std::string& Device::architecture() const { return impl_->device->properties().target.name; }
std::int64_t Device::cu_count() const { return impl_->device->properties().facts.cu_count; }
std::int64_t Device::lds_bytes_max() const {
  return impl_->device->properties().facts.lds_bytes_max;
}
std::int64_t Device::block_threads_max() const {
  return impl_->device->properties().facts.block_threads_max;
}

void* Device::allocate(std::size_t size_bytes) {
  return reinterpret_cast<void*>(impl_->observed->allocate(size_bytes, Place::low));
}
void Device::release(void* pointer) {
  impl_->observed->release(reinterpret_cast<DevicePointer>(pointer));
}
void Device::copy_to(void* destination, const void* source, std::size_t size_bytes) {
  impl_->observed->copy_to(reinterpret_cast<DevicePointer>(destination), source, size_bytes);
}
void Device::copy_from(void* destination, const void* source, std::size_t size_bytes) {
  impl_->observed->copy_from(destination, reinterpret_cast<DevicePointer>(source), size_bytes);
}

Kernel Device::prepare(const Code& code) {
  if (code.geometry.empty() || code.defines.empty())
    throw Error("the row names no code: it is the default of a table that has no such geometry");
  try {
    const Geometry geometry = parse_geometry_key(code.geometry);
    const Variant variant = parse_variant_key(*geometry.family, code.variant);
    CompileRequest request =
        make_compile_request(geometry, variant, impl_->device->properties().target, impl_->sources);
    request.macros = code.defines;  // the header's word counts
    const Impl::CompiledCode compiled = impl_->compile(request);
    auto kernel = std::make_unique<Kernel::Impl>();
    kernel->device = &*impl_->observed;
    kernel->family = geometry.family;
    Outcome outcome;
    kernel->code = impl_->observed->load(compiled.path, &outcome);
    if (!kernel->code) throw Error(outcome.message);
    for (std::size_t i = 0; i < request.entries.size(); ++i)
      kernel->entries[request.entries[i]] = request.signatures[i];
    kernel->code_identity = impl_->observed->identity_of(*kernel->code);
    kernel->source_hash = compiled.source_hash;
    if (kernel->source_hash != code.source_hash)
      kernel->strangeness.push_back(fmt::format("its source is {}; the row was measured with {}",
                                                kernel->source_hash, code.source_hash));
    if (kernel->code_identity != code.code_identity)
      kernel->strangeness.push_back(fmt::format("its code is {}; the row was measured with {}",
                                                kernel->code_identity, code.code_identity));
    return Kernel(std::move(kernel));
  } catch (const UserError& error) {
    throw Error(error.what());
  }
}

void Device::forbid_compilation() { impl_->compiler->forbid(); }
std::int64_t Device::compilations() const { return impl_->compiler->count(); }

void Device::launch(const Kernel& kernel, const Launch& what, const Arguments& arguments) {
  const Kernel::Impl& loaded = *kernel.impl_;
  const auto entry = loaded.entries.find(what.entry);
  if (entry == loaded.entries.end())
    throw Error(fmt::format("the code has no kernel {}", what.entry));
  KernelLaunch launch{what.entry, what.grid, what.block, what.lds_bytes, {}};
  for (const Argument& argument : entry->second)
    launch.arguments.push_back(argument_of(*loaded.family, argument, arguments));
  const Outcome outcome = impl_->observed->launch(*loaded.code, launch);
  if (!outcome.ok()) throw Error(fmt::format("{}: {}", what.entry, outcome.message));
}

void Device::synchronize() {
  const Outcome outcome = impl_->observed->synchronize();
  if (!outcome.ok()) throw Error(outcome.message);
}

std::vector<Launch> Device::take_seen() { return impl_->observed->take(); }

}  // namespace fusetune::runtime
