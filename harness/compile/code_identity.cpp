#include <elf.h>

#include <algorithm>

#include "harness/base/hash.hpp"
#include "harness/compile/elf_image.hpp"

namespace fusetune {

namespace {

constexpr std::uint16_t kMachineCuda = 190;

/// Newer clangs put a hash of the source's path into this symbol's name.
bool depends_on_path(std::string_view symbol) { return symbol.starts_with("__hip_cuid_"); }

/// Tables that only index symbols by name: they enter as sorted lists, since one name that depends
/// on a path would reorder them all.
bool is_index(const ElfImage::Section& section) {
  switch (section.type) {
    case SHT_STRTAB:
    case SHT_DYNSYM:
    case SHT_HASH:
    case SHT_GNU_HASH:
    case SHT_DYNAMIC:
    case SHT_RELA:
    case SHT_REL:
    case SHT_GNU_versym:
    case SHT_GNU_verdef:
    case SHT_GNU_verneed:
      return true;
    default:
      return false;
  }
}

bool is_loaded(const ElfImage& image, const ElfImage::Section& section) {
  if (section.name == ".note.gnu.build-id" || is_index(section)) return false;
  if ((section.flags & SHF_ALLOC) != 0) return true;
  // A cubin keeps what a descriptor says in sections without the flag.
  return image.machine() == kMachineCuda && section.name.starts_with(".nv.info");
}

void add_sections(const ElfImage& image, HashFields* fields) {
  for (const ElfImage::Section& section : image.sections()) {
    if (!is_loaded(image, section)) continue;
    fields->add(section.name);
    fields->add(section.type);
    fields->add(section.flags);
    fields->add(section.address);
    fields->add(section.size);
    fields->add(section.info);  // a cubin's register count
    fields->add(section.bytes);
  }
}

void add_sorted(std::vector<std::string> items, HashFields* fields) {
  std::sort(items.begin(), items.end());
  fields->add(items.size());
  for (const std::string& item : items) fields->add(item);
}

void add_symbols(const ElfImage& image, HashFields* fields) {
  std::vector<std::string> items;
  for (const ElfImage::Symbol& symbol : image.dynamic_symbols()) {
    if (depends_on_path(symbol.name)) continue;
    HashFields item;
    item.add(symbol.name);
    item.add(symbol.value);
    item.add(symbol.size);
    item.add(symbol.section == SHN_UNDEF ? 0 : 1);
    item.add(symbol.info);
    item.add(symbol.other);
    items.push_back(item.hex());
  }
  add_sorted(std::move(items), fields);
}

void add_relocations(const ElfImage& image, HashFields* fields) {
  std::vector<std::string> items;
  for (const ElfImage::Relocation& relocation : image.relocations()) {
    HashFields item;
    item.add(relocation.offset);
    item.add(relocation.type);
    item.add(static_cast<std::uint64_t>(relocation.addend));
    item.add(depends_on_path(relocation.symbol) ? std::string_view() : relocation.symbol);
    items.push_back(item.hex());
  }
  add_sorted(std::move(items), fields);
}

}  // namespace

std::string elf_code_identity(std::string_view elf) {
  const auto image = ElfImage::parse(elf);
  if (!image) return "";
  HashFields fields;
  fields.add(image->machine());
  fields.add(image->flags());
  add_sections(*image, &fields);
  add_symbols(*image, &fields);
  add_relocations(*image, &fields);
  for (const std::string_view library : image->needed()) fields.add(library);
  return fields.hex();
}

}  // namespace fusetune
