#include "larder/training/manifest.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include "support/catch.h"

using larder::DatasetManifest;
using larder::TypeId;

namespace {

DatasetManifest Example() {
  DatasetManifest manifest;
  manifest.larder_version = "0.1.0";
  manifest.libraries = {"sleef 3.5.1", "tzdata 2025b"};
  manifest.project = "fraud";
  manifest.service = "fraud_model@2";
  manifest.time_column = "asked_at";
  manifest.revision = 7;
  manifest.definitions = {{"service", "fraud_model@2", "aa11aa11aa11"},
                          {"view", "card_profile@1", "bb22bb22bb22"}};
  DatasetManifest::View view;
  view.view = "card_profile@1";
  view.known_at = "any";
  view.timeless = true;
  view.events = 12;
  manifest.views.push_back(view);
  view.cells_changed_by_other_known_at = 3;
  manifest.views.push_back(view);
  manifest.sources = {
      {"limits", {}, "af"},
      {"profiles", {{"/data/\"a\".csv", 12, "cc"}, {"/data/b.csv", 0, ""}}, std::nullopt}};
  manifest.spine_sha256 = "dd";
  manifest.spine_sources = {"transactions"};
  manifest.selection =
      DatasetManifest::Selection{"99", "x > 1", "0.5", {"x", "y"}, "by x a=1", "a", 3};
  manifest.content.rows = 4;
  manifest.content.sha256 = "ee";
  manifest.content.columns = {{"x", larder::DataType::Vector(TypeId::kFloat32, 3), 1, "ff"}};
  manifest.output = DatasetManifest::Output{{"t.npz", 99, "ab"}, "float32", "nan", "y", ""};
  return manifest;
}

}  // namespace

TEST_CASE("the record of what is finished is read back equal", "[training][manifest]") {
  larder::UnfinishedDataset unfinished;
  unfinished.parts.push_back({Example(), 4, 3, "4 0 ab", {{"true", 1}, {"", 2}}});
  unfinished.parts.push_back({Example(), 8, 5, "8 0 cd", {}});
  const auto read = larder::UnfinishedDataset::Parse(unfinished.ToJson());
  INFO(read.status().ToString());
  REQUIRE(read.ok());
  CHECK(*read == unfinished);
  CHECK(larder::UnfinishedPath("t.csv") == "t.csv.unfinished.json");
  CHECK_FALSE(larder::UnfinishedDataset::Parse(Example().ToJson()).ok());
}

TEST_CASE("a manifest is read back equal to what was written", "[training][manifest]") {
  const DatasetManifest manifest = Example();
  const auto back = DatasetManifest::Parse(manifest.ToJson());
  INFO(manifest.ToJson());
  INFO(back.status().ToString());
  REQUIRE(back.ok());
  CHECK(*back == manifest);
  DatasetManifest unwritten = manifest;
  unwritten.output.reset();
  unwritten.selection.reset();
  CHECK(*DatasetManifest::Parse(unwritten.ToJson()) == unwritten);
}

TEST_CASE("what is no manifest is refused, naming the member", "[training][manifest]") {
  const auto error = [](const std::string& text) {
    return std::string(larder::MessageOf(DatasetManifest::Parse(text).status()));
  };
  CHECK(error("x") == "no manifest: not JSON");
  CHECK(error("[]") == "no manifest: larder_manifest is missing");
  CHECK(error("{\"larder_manifest\": 1}") == "no manifest: /larder_version is not there");
  std::string text = Example().ToJson();
  text.replace(text.find("\"nulls\": 1"), 10, "\"nulls\": []");
  CHECK(error(text) == "no manifest: /content/columns/0/nulls is not an integer");
  text = Example().ToJson();
  text.replace(text.find("\"larder_manifest\": 1"), 20, "\"larder_manifest\": 2");
  CHECK(larder::KindOf(DatasetManifest::Parse(text).status()) == larder::ErrorKind::kVersion);
}

TEST_CASE("comparing manifests says what a training set was made from differently",
          "[training][manifest]") {
  const DatasetManifest before = Example();
  DatasetManifest after = before;
  CHECK(larder::CompareManifests(before, after).empty());
  after.revision = 8;  // of other things: no reason by itself
  after.libraries = {"sleef 3.6.1"};
  after.service = "fraud_model@3";
  after.definitions = {{"service", "fraud_model@3", "aa33aa33aa33"},
                       {"view", "city_facts@1", "dd44dd44dd44"}};
  after.views[0].known_at = "spine";
  after.sources[0].rows_sha256 = "a0";
  after.sources[1].files[0].sha256 = "c0";
  after.sources.push_back({"cities", {}, "ee"});
  after.commit_seq = 12;
  after.spine_sha256 = "d0";
  after.selection->part = "b";
  CHECK(larder::CompareManifests(before, after) ==
        std::vector<std::string>{
            "libraries: sleef 3.5.1, tzdata 2025b, now sleef 3.6.1",
            "service: fraud_model@2, now fraud_model@3",
            "service fraud_model: fraud_model@2 (meaning aa11aa11), now fraud_model@3 (meaning "
            "aa33aa33)",
            "view card_profile: no longer used",
            "view city_facts: new, city_facts@1 (meaning dd44dd44)",
            "known at: card_profile@1 any, card_profile@1 any, now card_profile@1 spine, "
            "card_profile@1 any",
            "source limits: the rows given for it differ",
            "source profiles: the content of its files differs",
            "source cities: new",
            "store: none, now commit 12",
            "spine: its rows differ",
            "part: a, now b",
        });
}

TEST_CASE("a file is known by its size and the hash of its bytes", "[training][manifest]") {
  std::string folder = (std::filesystem::temp_directory_path() / "larder-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  std::ofstream(folder + "/abc") << "abc";
  const auto file = larder::IdentifyFile(folder + "/abc");
  REQUIRE(file.ok());
  CHECK(file->bytes == 3);
  CHECK(file->sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(larder::IdentifyFile(folder + "/gone").status().code() == absl::StatusCode::kNotFound);
  CHECK(larder::IdentifyFile("/dev/null")->sha256.empty());
  std::filesystem::remove_all(folder);
}
