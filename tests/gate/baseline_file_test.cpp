#include "harness/gate/baseline_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"

namespace fusetune {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A copy of a family that may be changed.
class BaselineFiles : public ::testing::Test {
 protected:
  BaselineFiles() {
    fs::copy(FUSETUNE_SOURCE_DIR "/tests/faults/kernels/simulated_rows", kernel());
  }
  fs::path kernel() const { return folder_ / "simulated_rows"; }
  fs::path file() const { return folder_ / "baseline.yaml"; }
  std::shared_ptr<const Family> family() const { return load_family(kernel() / "family.yaml"); }
  void append(const std::string& name, const std::string& text) const {
    std::ofstream(kernel() / name, std::ios::app) << text;
  }

  BaselineFile accepted(const std::string& key, const std::string& variant) const {
    BaselineFile baseline;
    const Snapshot snapshot = take_snapshot(*family(), sources_of(file()));
    baseline.snapshots[snapshot.id()] = snapshot;
    baseline.cases[key] = {
        key,
        variant,
        snapshot.id(),
        "c0de",
        {"simulated", "simulated", "compiler 1", "1.0", Json{{"clock", "'it's'"}}}};
    return baseline;
  }

 private:
  TemporaryFolder folder_{"baseline"};
};

TEST_F(BaselineFiles, ReadBackAsTheyWere) {
  const BaselineFile baseline = accepted("rows(tokens=1)", "block_size=64");
  write_baseline(baseline, file());
  const BaselineFile back = read_baseline(file());
  EXPECT_EQ(to_yaml(back), to_yaml(baseline));
  ASSERT_NE(back.find("rows(tokens=1)"), nullptr);
  EXPECT_EQ(back.find("rows(tokens=1)")->variant_key, "block_size=64");
  EXPECT_EQ(back.find("rows(tokens=1)")->accepted.conditions, (Json{{"clock", "'it's'"}}));
  EXPECT_EQ(back.find("rows(tokens=2)"), nullptr);
  EXPECT_TRUE(differences(baseline, back).empty());
}

TEST_F(BaselineFiles, AChangedByteIsAnError) {
  const std::string text = to_yaml(accepted("rows(tokens=1)", "block_size=64"));
  ASSERT_NO_THROW(parse_baseline(text, "b.yaml"));
  std::string edited = text;
  edited.replace(edited.find("block_size=64"), 13, "block_size=65");
  try {
    parse_baseline(edited, "b.yaml");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("b.yaml:4:"));
    EXPECT_THAT(error.what(), HasSubstr("edited"));
  }
}

TEST_F(BaselineFiles, TheSnapshotIsWhatTheFamilyWas) {
  const SourceFolder sources = sources_of(file());
  const Snapshot before = take_snapshot(*family(), sources);
  const std::string old_source = read_file(kernel() / "simulated_rows.hip");
  append("simulated_rows.hip", "// another kernel\n");
  const Snapshot after = take_snapshot(*family(), sources);
  EXPECT_NE(before.id(), after.id());
  const auto restored = family_of(before, sources, kernel().parent_path() / "scratch");
  EXPECT_EQ(restored->name, "simulated_rows");
  EXPECT_EQ(read_file(restored->find_implementation("fused")->source), old_source);
  // Headers come from the snapshot as well.
  EXPECT_TRUE(fs::exists(restored->directory / "ft.h"));
  // What was laid out and changed since is laid out again.
  std::ofstream(restored->find_implementation("fused")->source, std::ios::app) << "oops";
  family_of(before, sources, kernel().parent_path() / "scratch");
  EXPECT_EQ(read_file(restored->find_implementation("fused")->source), old_source);
}

TEST_F(BaselineFiles, ADamagedSourceIsAnError) {
  const SourceFolder sources = sources_of(file());
  const Snapshot snapshot = take_snapshot(*family(), sources);
  for (const auto& entry : fs::directory_iterator(sources.path()))
    std::ofstream(entry.path(), std::ios::app) << "x";
  EXPECT_THROW(family_of(snapshot, sources, kernel().parent_path() / "scratch"), UserError);
}

TEST_F(BaselineFiles, WritingDropsSourcesThatNothingNames) {
  write_baseline(accepted("rows(tokens=1)", "block_size=64"), file());
  const auto count = [this] {
    return std::distance(fs::directory_iterator(sources_of(file()).path()),
                         fs::directory_iterator());
  };
  const auto before = count();
  append("simulated_rows.hip", "// another kernel\n");
  std::ofstream(sources_of(file()).path() / "README.md") << "mine";
  const BaselineFile next = accepted("rows(tokens=1)", "block_size=64");
  EXPECT_EQ(count(), before + 2);
  write_baseline(next, file());
  EXPECT_EQ(count(), before + 1);
  EXPECT_NO_THROW(family_of(next.snapshots.begin()->second, sources_of(file()),
                            kernel().parent_path() / "scratch"));
}

TEST_F(BaselineFiles, DifferencesNameEveryCase) {
  const BaselineFile from = accepted("rows(tokens=1)", "block_size=64");
  EXPECT_THAT(differences({}, from), ElementsAre("+ rows(tokens=1) block_size=64"));
  EXPECT_THAT(differences(from, {}), ElementsAre("- rows(tokens=1) block_size=64"));
  EXPECT_THAT(differences(from, accepted("rows(tokens=1)", "block_size=128")),
              ElementsAre("~ rows(tokens=1): variant block_size=64 to block_size=128"));
  append("simulated_rows.hip", "// another kernel\n");
  EXPECT_THAT(differences(from, accepted("rows(tokens=1)", "block_size=64")),
              ElementsAre("~ rows(tokens=1): source"));
}

TEST_F(BaselineFiles, NamesThatLeadOutAreRefused) {
  Snapshot snapshot;
  snapshot.family = "x";
  snapshot.files = {{"../family.yaml", "0"}};
  EXPECT_THROW(family_of(snapshot, sources_of(file()), kernel().parent_path() / "scratch"),
               UserError);
}

}  // namespace
}  // namespace fusetune
