#pragma once
// A program of a run-time compiler: sources in memory to a code object.

#include <string>
#include <vector>

#include "harness/compile/compiler.hpp"
#include "harness/compile/rtc/names.hpp"

namespace fusetune::rtc {

class Program {
 public:
  explicit Program(const CompileRequest& request);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// False with the reason in error() or log().
  bool compile(const std::vector<std::string>& options);

  std::string log() const;
  /// The code object's bytes; empty when there is none.
  std::string code() const;
  const std::string& error() const { return error_; }
  /// Whether the compiler refused an option and never came to the source.
  bool option_refused() const { return option_refused_; }

 private:
  hiprtcProgram program_ = nullptr;
  std::string error_;
  bool option_refused_ = false;
};

}  // namespace fusetune::rtc
