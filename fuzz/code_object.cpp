// Code objects: every reader of an ELF file takes any bytes, and so does the counter of accesses.

#include "fuzz/target.hpp"
#include "harness/compile/disassembly.hpp"
#include "harness/compile/elf_image.hpp"
#include "harness/compile/host_imports.hpp"

namespace fusetune::fuzz {

namespace {

void require_within(std::string_view whole, std::string_view part) {
  if (part.empty()) return;
  require(part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size(),
          "a view of bytes that the file does not have");
}

void check(const ElfImage& image, std::string_view input) {
  for (const ElfImage::Section& section : image.sections()) {
    require_within(input, section.name);
    require_within(input, section.bytes);
  }
  for (const auto* symbols : {&image.dynamic_symbols(), &image.static_symbols()})
    for (const ElfImage::Symbol& symbol : *symbols) {
      require_within(input, symbol.name);
      elf_code_bytes(input, symbol.name);
    }
  for (const ElfImage::Relocation& relocation : image.relocations())
    require_within(input, relocation.symbol);
  for (const std::string_view name : image.needed()) require_within(input, name);
}

}  // namespace

void run(std::string_view input) {
  AccessCounts counts;
  count_accesses(input, input.size() % 2 == 0, &counts);
  std::string error;
  const auto image = ElfImage::parse(input, &error);
  require(image.has_value() != !error.empty(), "a file that is neither read nor refused");
  const std::string identity = elf_code_identity(input);
  require(identity.empty() != image.has_value(), "an identity of what is no code object");
  if (!image) return;
  require(elf_code_identity(input) == identity, "two identities of the same bytes");
  require(elf_undefined_symbols(input).has_value(), "no list of symbols of a code object");
  load_problem(input);
  check(*image, input);
}

}  // namespace fusetune::fuzz
