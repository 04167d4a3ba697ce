#include "support.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/files.hpp"

namespace fusetune::testing {

namespace fs = std::filesystem;

Compiler& host_compiler() {
  static const std::unique_ptr<Compiler> compiler = make_host_compiler();
  return *compiler;
}

CompileRequest request_for(const std::string& source, const std::vector<std::string>& entries,
                           int wave_size, std::vector<std::pair<std::string, std::string>> macros) {
  CompileRequest request;
  request.target = parse_target(wave_size == 32 ? "host-w32" : "host-w64");
  request.source = {"test.hip", source};
  request.headers = common_headers();
  request.macros = std::move(macros);
  request.macros.emplace_back("FT_WAVE_SIZE", std::to_string(wave_size));
  request.entries = entries;
  request.signatures.resize(entries.size());
  return request;
}

Bench::Bench(int wave_size)
    : wave_size_(wave_size), device_(open_device(wave_size == 32 ? "host-w32" : "host-w64")) {}

Bench::~Bench() {
  for (const DevicePointer buffer : buffers_) device_->release(buffer);
  loaded_.clear();
}

const LoadedCode& Bench::build(const std::string& source, const std::vector<std::string>& entries,
                               std::vector<std::pair<std::string, std::string>> macros) {
  return build(request_for(source, entries, wave_size_, std::move(macros)));
}

const LoadedCode& Bench::build_exact(const std::string& source,
                                     const std::vector<std::string>& entries,
                                     std::vector<std::pair<std::string, std::string>> macros) {
  CompileRequest request = request_for(source, entries, wave_size_, std::move(macros));
  request.exact = true;
  return build(request);
}

const LoadedCode& Bench::build(const CompileRequest& request) {
  compiled_ = host_compiler().compile(request);
  if (!compiled_.outcome.ok())
    throw std::runtime_error(compiled_.outcome.message + "\n" + compiled_.log);
  code_path_ = folder_ / fmt::format("{}.so", loaded_.size());
  write_file_atomic(code_path_, compiled_.code);
  entry_ = request.entries.front();
  return load_again();
}

std::unique_ptr<LoadedCode> Bench::take_loaded() {
  std::unique_ptr<LoadedCode> code = std::move(loaded_.back());
  loaded_.pop_back();
  return code;
}

const LoadedCode& Bench::load_again() {
  Outcome outcome;
  std::unique_ptr<LoadedCode> code = device_->load(code_path_.string(), &outcome);
  if (code == nullptr) throw std::runtime_error(outcome.message);
  loaded_.push_back(std::move(code));
  return *loaded_.back();
}

DevicePointer Bench::allocate(std::size_t size_bytes, Place place) {
  buffers_.push_back(device_->allocate(size_bytes, place));
  return buffers_.back();
}

Outcome Bench::launch(std::int64_t grid, std::int64_t block, std::vector<KernelArgument> arguments,
                      std::int64_t lds_bytes) {
  return launch({entry_, {grid, 1, 1}, {block, 1, 1}, lds_bytes, std::move(arguments)});
}

Outcome Bench::launch(const KernelLaunch& launch) {
  return device_->launch(*loaded_.back(), launch);
}

}  // namespace fusetune::testing
