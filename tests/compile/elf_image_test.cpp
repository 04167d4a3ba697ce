#include "harness/compile/elf_image.hpp"

#include <elf.h>
#include <gmock/gmock.h>

#include "support.hpp"

namespace fusetune {
namespace {

using test::shared_library;

constexpr const char* kSource =
    "extern \"C\" int host_call(int);\n"
    "static const int table[4] = {1, 2, 3, 4};\n"
    "extern \"C\" int entry(int i) { return host_call(table[i & 3]); }\n";

std::string with(const std::string& from, const std::string& to) {
  std::string source = kSource;
  const std::size_t at = source.find(from);
  EXPECT_NE(at, std::string::npos);
  return source.replace(at, from.size(), to);
}

std::string_view text_of(const ElfImage& image) {
  for (const ElfImage::Section& section : image.sections())
    if (section.name == ".text") return section.bytes;
  return {};
}

TEST(CodeIdentity, DoesNotDependOnWhereTheSourceLay) {
  const std::string a = shared_library(kSource, "a");
  const std::string b = shared_library(kSource, "a_much_longer_folder_name");
  ASSERT_NE(a, b) << "build id and debug information should differ, or this proves nothing";
  EXPECT_EQ(elf_code_identity(a).size(), 32u);
  EXPECT_EQ(elf_code_identity(a), elf_code_identity(b));
}

TEST(CodeIdentity, SeesAChangedConstantTableBehindTheSameCode) {
  const std::string a = shared_library(kSource);
  const std::string b = shared_library(with("3, 4", "3, 5"));
  const auto image_a = ElfImage::parse(a), image_b = ElfImage::parse(b);
  ASSERT_TRUE(image_a && image_b);
  ASSERT_FALSE(text_of(*image_a).empty());
  ASSERT_EQ(text_of(*image_a), text_of(*image_b));
  EXPECT_NE(elf_code_identity(a), elf_code_identity(b));
}

TEST(CodeIdentity, SeesChangedCodeNamesAndImports) {
  const std::string identity = elf_code_identity(shared_library(kSource));
  EXPECT_NE(identity, elf_code_identity(shared_library(with("i & 3", "i & 1"))));
  EXPECT_NE(identity, elf_code_identity(shared_library(with("int entry", "int entrx"))));
  std::string other_import = with("int host_call", "int host_calm");
  other_import.replace(other_import.find("host_call("), 9, "host_calm");
  EXPECT_NE(identity, elf_code_identity(shared_library(other_import)));
}

TEST(CodeIdentity, IgnoresTheSymbolThatHoldsAHashOfTheSourcesPath) {
  const auto library = [](const char* id) {
    return shared_library(std::string(kSource) + "extern \"C\" { char __hip_cuid_" + id + "; }\n");
  };
  EXPECT_EQ(elf_code_identity(library("0123456789abcdef")),
            elf_code_identity(library("fedcba9876543210")));
}

TEST(ElfImage, ListsImportsAndSizesOfFunctions) {
  const std::string elf = shared_library(kSource);
  const auto imports = elf_undefined_symbols(elf);
  ASSERT_TRUE(imports);
  EXPECT_THAT(*imports, testing::ElementsAre("host_call"));
  const auto bytes = elf_code_bytes(elf, "entry");
  ASSERT_TRUE(bytes);
  EXPECT_GT(*bytes, 0);
  EXPECT_LT(*bytes, 200);
  EXPECT_FALSE(elf_code_bytes(elf, "host_call"));
  EXPECT_FALSE(elf_code_bytes(elf, "nothing"));
}

TEST(ElfImage, SurvivesTruncationAtEveryLength) {
  const std::string elf = shared_library(kSource);
  ASSERT_NE(elf_code_identity(elf), "");
  // The section table is the last thing in the file, so no shorter file is whole.
  for (std::size_t size = 0; size < elf.size(); ++size) {
    // A copy of exactly that size lets the address sanitizer see a read past its end.
    const std::vector<char> part(elf.begin(), elf.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string_view view(part.data(), part.size());
    ASSERT_EQ(elf_code_identity(view), "") << size;
    ASSERT_FALSE(elf_undefined_symbols(view)) << size;
  }
}

TEST(ElfImage, SurvivesEveryFlippedByte) {
  const std::string elf = shared_library(kSource);
  const std::string identity = elf_code_identity(elf);
  int changed = 0;
  for (std::size_t at = 0; at < elf.size(); ++at) {
    for (const unsigned mask : {0xffu, 0x80u}) {
      std::string damaged = elf;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ mask);
      changed += elf_code_identity(damaged) != identity ? 1 : 0;
      (void)elf_code_bytes(damaged, "entry");
      (void)elf_undefined_symbols(damaged);
    }
  }
  EXPECT_GT(changed, 500);
}

TEST(ElfImage, RefusesWhatIsNoElfFile) {
  std::string error;
  EXPECT_FALSE(ElfImage::parse("", &error));
  EXPECT_EQ(error, "not a 64-bit little-endian ELF file");
  EXPECT_EQ(elf_code_identity(std::string(100000, 'x')), "");
  std::string elf = shared_library(kSource);
  elf[EI_CLASS] = ELFCLASS32;
  EXPECT_EQ(elf_code_identity(elf), "");
}

}  // namespace
}  // namespace fusetune
