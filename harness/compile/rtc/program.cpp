#include "harness/compile/rtc/program.hpp"

namespace fusetune::rtc {

Program::Program(const CompileRequest& request) {
  std::vector<const char*> texts, names;
  for (const SourceText& header : request.headers) {
    texts.push_back(header.text.c_str());
    names.push_back(header.name.c_str());
  }
  const hiprtcResult result =
      hiprtcCreateProgram(&program_, request.source.text.c_str(), request.source.name.c_str(),
                          static_cast<int>(texts.size()), texts.data(), names.data());
  if (result != HIPRTC_SUCCESS) error_ = hiprtcGetErrorString(result);
}

Program::~Program() {
  if (program_ != nullptr) hiprtcDestroyProgram(&program_);
}

bool Program::compile(const std::vector<std::string>& options) {
  if (!error_.empty()) return false;
  std::vector<const char*> pointers;
  for (const std::string& option : options) pointers.push_back(option.c_str());
  const hiprtcResult result =
      hiprtcCompileProgram(program_, static_cast<int>(pointers.size()), pointers.data());
  option_refused_ = result == HIPRTC_ERROR_INVALID_OPTION;
  if (result != HIPRTC_SUCCESS) error_ = hiprtcGetErrorString(result);
  return result == HIPRTC_SUCCESS;
}

std::string Program::log() const {
  std::size_t size = 0;
  if (program_ == nullptr || hiprtcGetProgramLogSize(program_, &size) != HIPRTC_SUCCESS) return {};
  std::string log(size, '\0');
  if (size > 0) hiprtcGetProgramLog(program_, log.data());
  while (!log.empty() && log.back() == '\0') log.pop_back();
  return log;
}

std::string Program::code() const {
  std::size_t size = 0;
  if (hiprtcGetCodeSize(program_, &size) != HIPRTC_SUCCESS) return {};
  std::string code(size, '\0');
  if (hiprtcGetCode(program_, code.data()) != HIPRTC_SUCCESS) return {};
  return code;
}

}  // namespace fusetune::rtc
