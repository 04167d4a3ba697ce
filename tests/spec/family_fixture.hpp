#pragma once
// Small families and sweeps in a folder of the test's own.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/spec/plan.hpp"

namespace fusetune::test {

/// A folder that goes away with the test.
class Folder : public TemporaryFolder {
 public:
  Folder() : TemporaryFolder("fusetune-spec") {}

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((*this / name).parent_path());
    std::ofstream(*this / name) << text;
    return *this / name;
  }
};

/// The text with its one occurrence of `old_text` replaced.
inline std::string replaced(std::string text, const std::string& old_text,
                            const std::string& new_text) {
  const std::size_t at = text.find(old_text);
  EXPECT_NE(at, std::string::npos) << old_text;
  if (at != std::string::npos) text.replace(at, old_text.size(), new_text);
  return text;
}

/// The message of the UserError that an action throws, or "no error".
template <typename Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

/// A file of tests/spec/documents.
inline std::string document(const std::string& name) {
  return read_file(std::filesystem::path(FUSETUNE_TESTS_DIR) / "spec" / "documents" / name);
}

/// Uses every part of a family.yaml. Its lines are quoted by the tests.
inline const std::string kFamily = document("family.yaml");

inline std::shared_ptr<const Family> family_of(const Folder& folder, const std::string& text) {
  return load_family(folder.write("toy/family.yaml", text));
}

inline CaseRequest request_of(std::shared_ptr<const Family> family, std::int64_t width,
                              std::int64_t tokens) {
  CaseRequest request;
  request.family = std::move(family);
  request.statics["width"] = width;
  request.runtime["tokens"] = tokens;
  return request;
}

}  // namespace fusetune::test
