#pragma once
// A kernel module for the host, loaded: its own copy of the code and of all state in it.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/device/host/host_abi.h"

namespace fusetune {

class ElfImage;

class HostModule : public LoadedCode {
 public:
  struct Entry {
    std::string name;
    const ft_host_entry* code = nullptr;
  };
  struct SharedRange {
    std::string name;  ///< as in the source
    std::byte* begin = nullptr;
    std::size_t size_bytes = 0;
  };
  /// Where the module keeps state.
  struct Range {
    std::uintptr_t begin = 0, end = 0;

    bool contains(std::uintptr_t address) const { return address >= begin && address < end; }
  };

  /// Nothing and an outcome when the file is no module for this wave size.
  static std::unique_ptr<HostModule> load(const std::string& path, int wave_size, Outcome* outcome);
  ~HostModule() override;
  HostModule(const HostModule&) = delete;
  HostModule& operator=(const HostModule&) = delete;

  bool exact() const override { return exact_; }
  const ft_host_module& table() const { return *table_; }
  const std::vector<Entry>& entries() const { return entries_; }
  const ft_host_entry* find_entry(std::string_view name) const;
  bool needs_fibres() const { return needs_fibres_; }
  std::int64_t shared_bytes() const;
  void poison_shared(std::uint32_t pattern) const;
  const std::vector<SharedRange>& shared() const { return shared_; }
  /// Whether code and data lie there, and whether it is something that the module may use.
  bool contains(std::uintptr_t address) const { return code_offset(address) >= 0; }
  bool owns(std::uintptr_t address, std::size_t bytes) const;

  const std::string& path() const { return path_; }
  /// Offset of an address in the file's code, for finding its source line; -1 outside.
  std::int64_t code_offset(std::uintptr_t address) const;
  std::uintptr_t base() const { return base_; }

 private:
  HostModule() = default;
  std::string open(const std::string& image);
  std::string read_symbols(const ElfImage& elf);
  void read_objects(const ElfImage& elf);

  std::string path_;
  int fd_ = -1;
  void* handle_ = nullptr;
  std::uintptr_t base_ = 0;
  std::uintptr_t size_bytes_ = 0;
  const ft_host_module* table_ = nullptr;
  std::vector<Entry> entries_;
  std::vector<SharedRange> shared_;
  std::vector<Range> objects_;   ///< variables that are no shared memory
  std::vector<Range> writable_;  ///< sections
  bool needs_fibres_ = false;
  bool exact_ = false;
};

/// Fills memory with a 32-bit pattern; a tail of 1 to 3 bytes gets its first bytes.
void fill_pattern(std::byte* begin, std::size_t size_bytes, std::uint32_t pattern);

}  // namespace fusetune
