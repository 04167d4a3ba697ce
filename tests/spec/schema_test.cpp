#include <gmock/gmock.h>

#include <algorithm>

#include "harness/base/json.hpp"
#include "harness/spec/keys.hpp"
#include "harness/spec/yaml.hpp"
#include "tests/spec/family_fixture.hpp"

namespace fusetune::test {
namespace {

Json schema(const std::string& name) {
  return Json::parse(
      read_file(std::filesystem::path(FUSETUNE_SOURCE_DIR) / "configs" / "schema" / name));
}

/// The schema has each of the parser's maps, with the same keys and no others.
void expect_same_keys(const Json& schema, const KeyLists& lists) {
  for (const auto& [kind, keys] : lists) {
    ASSERT_TRUE(schema.at("$defs").contains(kind)) << kind;
    const Json& definition = schema.at("$defs").at(kind);
    EXPECT_EQ(definition.at("additionalProperties"), false) << kind;
    std::vector<std::string> in_schema;
    for (const auto& [key, value] : definition.at("properties").items()) in_schema.push_back(key);
    EXPECT_THAT(in_schema, ::testing::UnorderedElementsAreArray(keys)) << kind;
  }
}

TEST(Schemas, HaveTheParsersKeys) {
  expect_same_keys(schema("family.schema.json"), family_keys());
  expect_same_keys(schema("sweep.schema.json"), sweep_keys());
  expect_same_keys(schema("models.schema.json"), models_keys());
}

void load_document(const Folder& folder, const std::string& name, const std::string& text) {
  const std::filesystem::path file =
      folder.write(name == "family.yaml" ? "toy/" + name : name, text);
  if (name.ends_with("family.yaml"))
    load_family(file);
  else if (name == "sweep.yaml")
    load_sweep(file);
  else
    Models::load(file);
}

/// The other half is schema_test.py: the schemas refuse the same faults.
TEST(Documents, PlantedFaultsAreRefusedByTheParser) {
  const Folder folder;
  for (const char* name : {"family.yaml", "computing_family.yaml", "sweep.yaml", "models.yaml"})
    EXPECT_NO_THROW(load_document(folder, name, document(name))) << name;
  const auto faults = YamlNode::parse(document("broken.yaml"), "broken.yaml").items();
  EXPECT_GT(faults.size(), 50u);
  for (const YamlNode& fault : faults) {
    const std::string name = fault.at("file").as_string();
    folder.write("toy/family.yaml", kFamily);
    const std::string text =
        replaced(document(name), fault.at("replace").as_string(), fault.at("with").as_string());
    EXPECT_THROW(load_document(folder, name, text), UserError) << fault.mark().text();
  }
}

}  // namespace
}  // namespace fusetune::test
