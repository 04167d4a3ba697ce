#pragma once
// A subject compiled and loaded on a host device of its own.

#include <unistd.h>

#include <filesystem>
#include <memory>

#include "benchmarks/cases.hpp"
#include "harness/base/files.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/device/device.hpp"
#include "harness/verify/binding.hpp"
#include "harness/verify/proof.hpp"

namespace fusetune::bench {

struct Loaded {
  Subject subject;
  std::unique_ptr<Device> device = open_device("host-w64");
  std::unique_ptr<LoadedCode> code;

  Loaded(Subject what, bool exact) : subject(std::move(what)) {
    const Target target = device->properties().target;
    const CompileResult result = make_host_compiler()->compile(
        make_compile_request(subject.geometry(), subject.variant(), target, exact));
    const std::filesystem::path file =
        std::filesystem::temp_directory_path() / fmt::format("fusetune-bench-{}.so", ::getpid());
    write_file_atomic(file, result.code);
    Outcome outcome;
    code = device->load(file.string(), &outcome);
    std::filesystem::remove(file);
  }

  RunnableVariant runnable(const Case& which) const {
    const DeviceProperties& properties = device->properties();
    return {code.get(), launches_of(which, subject.variant(), properties.target, properties.facts)};
  }
};

}  // namespace fusetune::bench
