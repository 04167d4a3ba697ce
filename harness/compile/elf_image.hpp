#pragma once
// A 64-bit little-endian ELF file, read without trusting a byte of it: code objects come from
// compilers that crash and disks that lie. Nothing here knows a platform.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fusetune {

/// Views into the bytes that were parsed; those must outlive it.
class ElfImage {
 public:
  struct Section {
    std::string_view name;
    std::uint32_t type = 0;
    std::uint64_t flags = 0;
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    std::uint32_t link = 0;
    std::uint32_t info = 0;
    std::string_view bytes;  ///< empty for sections without content in the file
  };
  struct Symbol {
    std::string_view name;
    std::uint64_t value = 0;
    std::uint64_t size = 0;
    std::uint16_t section = 0;  ///< 0: undefined
    std::uint8_t info = 0;      ///< binding and type
    std::uint8_t other = 0;     ///< visibility
  };
  struct Relocation {
    std::uint64_t offset = 0;
    std::uint32_t type = 0;
    std::int64_t addend = 0;
    std::string_view symbol;
  };

  /// Nothing when the bytes are no ELF file or contradict themselves; says why in `error`.
  static std::optional<ElfImage> parse(std::string_view bytes, std::string* error = nullptr);

  std::uint16_t machine() const { return machine_; }
  std::uint32_t flags() const { return flags_; }
  const std::vector<Section>& sections() const { return sections_; }
  const std::vector<Symbol>& dynamic_symbols() const { return dynamic_symbols_; }
  const std::vector<Symbol>& static_symbols() const { return static_symbols_; }
  /// Of the sections that get loaded.
  const std::vector<Relocation>& relocations() const { return relocations_; }
  /// Libraries that loading it pulls in.
  const std::vector<std::string_view>& needed() const { return needed_; }

 private:
  bool read_sections(std::string_view bytes);
  bool read_symbols(const Section& table, std::vector<Symbol>* symbols) const;
  bool read_relocations(const Section& table);
  bool read_dynamic(const Section& table);

  std::uint16_t machine_ = 0;
  std::uint32_t flags_ = 0;
  std::vector<Section> sections_;
  std::vector<Symbol> dynamic_symbols_, static_symbols_;
  std::vector<Relocation> relocations_;
  std::vector<std::string_view> needed_;
};

/// Hash of everything that loading the file brings into a device: contents, layout, symbols and
/// relocations of all loadable sections, kernel descriptors among them. Build id, debug information
/// and whatever depends on where the source lay are left out (contract 6). "" when damaged.
std::string elf_code_identity(std::string_view elf);

/// Size of the code of a function symbol; nothing when there is none or the file is damaged.
std::optional<std::int64_t> elf_code_bytes(std::string_view elf, std::string_view symbol);

/// The names that the file imports, sorted; nothing when it is damaged.
std::optional<std::vector<std::string>> elf_undefined_symbols(std::string_view elf);

}  // namespace fusetune
