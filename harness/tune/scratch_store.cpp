#include "harness/tune/scratch_store.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <system_error>

#include "harness/base/error.hpp"

namespace fusetune {

namespace {

std::filesystem::path make_folder() {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  if (error) throw UserError("the temporary folder (TMPDIR) is unusable: " + error.message());
  std::string name = (parent / "fusetune-selftest-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw UserError(fmt::format("cannot make a temporary folder in {}: {}", parent.string(),
                                std::generic_category().message(errno)));
  return name;
}

}  // namespace

ScratchStore::ScratchStore() : store_(make_folder()) {}

ScratchStore::~ScratchStore() {
  std::error_code ignored;
  std::filesystem::remove_all(store_.root(), ignored);
}

}  // namespace fusetune
