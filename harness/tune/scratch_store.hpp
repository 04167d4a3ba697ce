#pragma once
// A code-object store that is removed with its owner.

#include "harness/compile/code_store.hpp"

namespace fusetune {

class ScratchStore {
 public:
  ScratchStore();
  ~ScratchStore();
  ScratchStore(const ScratchStore&) = delete;
  ScratchStore& operator=(const ScratchStore&) = delete;

  const CodeStore& store() const { return store_; }

 private:
  CodeStore store_;
};

}  // namespace fusetune
