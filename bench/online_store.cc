#include "online_store.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <random>

#include "larder/base/text.h"
#include "larder/registry/definitions_json.h"

namespace larder_bench {
namespace {

using larder::Batch;
using larder::Column;
using larder::Concat;
using larder::FeatureStore;
using larder::TypeId;

constexpr std::size_t kKeysDrawn = std::size_t{1} << 20;

std::string SourceFile(int view) { return Concat("view", view, ".csv"); }

std::string ViewFeatures(int view) {
  std::string out;
  for (int i = 0; i < kRowFeatures; ++i) {
    out += Concat(i == 0 ? "" : ", ", R"({"name": "v)", view, "_f", i, R"("})");
  }
  return out;
}

std::string SourceFields(int view, KeyKind keys) {
  std::string out =
      Concat(R"({"name": "id", "type": ")", keys == KeyKind::kInteger ? "int64" : "string",
             R"("}, {"name": "at", "type": "timestamp"})");
  for (int i = 0; i < kRowFeatures; ++i) {
    out += Concat(R"(, {"name": "v)", view, "_f", i, R"(", "type": "float64"})");
  }
  return out;
}

void AppendNumber(double number, std::string* out) {
  char digits[32];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof(digits), number);
  out->append(digits, end.ptr);
}

}  // namespace

std::string DefinitionsOf(const StoreSpec& spec, const std::string& folder) {
  std::string sources;
  std::string views;
  std::string all_views;
  for (int view = 0; view < spec.views; ++view) {
    const std::string comma = view == 0 ? "" : ",\n  ";
    sources += Concat(comma, R"({"name": "batch)", view, R"(", "kind": "csv", "path": ")",
                      std::filesystem::absolute(folder).string(), "/", SourceFile(view),
                      R"(", "event_time": "at", "fields": [)", SourceFields(view, spec.keys),
                      R"(]}, {"name": "live)", view, R"(", "kind": "push", "batch_source": "batch)",
                      view, R"("})");
    views += Concat(comma, R"({"name": "view)", view, R"(", "entities": ["item"], "source": "live)",
                    view, R"(", "features": [)", ViewFeatures(view), "]}");
    all_views += Concat(view == 0 ? "" : ", ", R"({"view": "view)", view, R"("})");
  }
  return Concat(
      R"({"larder": 1, "project": "bench",
 "entities": [{"name": "item", "join_keys": [{"name": "id", "type": ")",
      spec.keys == KeyKind::kInteger ? "int64" : "string", R"("}]}],
 "sources": [)",
      sources, R"(],
 "feature_views": [)",
      views, R"(],
 "feature_services": [
  {"name": "one_view", "dtype": "float64", "features": [{"view": "view0"}]},
  {"name": "five_views", "dtype": "float32", "features": [)",
      all_views, R"(]},
  {"name": "five_features", "dtype": "float32",
   "features": ["view0:v0_f0", "view0:v0_f1", "view0:v0_f2", "view0:v0_f3", "view0:v0_f4"]}]})");
}

std::vector<EventRow> OneRowEach(uint64_t entities) {
  std::vector<EventRow> rows(entities);
  for (uint64_t entity = 0; entity < entities; ++entity) rows[entity].entity = entity;
  return rows;
}

absl::Status WriteSourceFile(const StoreSpec& spec, const std::string& folder, int view,
                             std::span<const EventRow> rows) {
  std::filesystem::create_directories(folder);
  const std::string path = Concat(folder, "/", SourceFile(view));
  std::ofstream file(path, std::ios::binary);
  std::string text = "id,at";
  for (int i = 0; i < kRowFeatures; ++i) text += Concat(",v", view, "_f", i);
  text += "\n";
  std::vector<std::string> times;
  for (int generation = 0; generation < 60; ++generation) {
    times.push_back(larder::FormatTimestamp(EventTime(generation)));
  }
  for (const EventRow& row : rows) {
    text += spec.keys == KeyKind::kText ? TextKey(row.entity) : std::to_string(row.entity);
    text += ',';
    text += times[static_cast<std::size_t>(row.generation)];
    double features[kRowFeatures];
    RowOf(row.entity, RowVariant(view, row.generation), features);
    for (const double feature : features) {
      text += ',';
      AppendNumber(feature, &text);
    }
    text += '\n';
    if (text.size() < (std::size_t{1} << 20)) continue;
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    text.clear();
  }
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return larder::InternalError("cannot write ", path);
  return absl::OkStatus();
}

absl::Status WriteSourceFiles(const StoreSpec& spec, const std::string& folder) {
  const std::vector<EventRow> rows = OneRowEach(spec.entities);
  for (int view = 0; view < spec.views; ++view) {
    LARDER_RETURN_IF_ERROR(WriteSourceFile(spec, folder, view, rows));
  }
  return absl::OkStatus();
}

absl::StatusOr<Batch> RowsToPush(const StoreSpec& spec, int view, std::span<const EventRow> rows) {
  Column ids(spec.keys == KeyKind::kInteger ? TypeId::kInt64 : TypeId::kString);
  Column times(TypeId::kTimestamp);
  std::vector<Column> features(kRowFeatures, Column(TypeId::kFloat64));
  for (const EventRow& row : rows) {
    if (spec.keys == KeyKind::kInteger) {
      ids.AppendFixed(static_cast<int64_t>(row.entity));
    } else {
      ids.AppendText(TextKey(row.entity));
    }
    times.AppendFixed(EventTime(row.generation).us);
    double values[kRowFeatures];
    RowOf(row.entity, RowVariant(view, row.generation), values);
    for (std::size_t i = 0; i < kRowFeatures; ++i) features[i].AppendFixed(values[i]);
  }
  Batch batch;
  LARDER_RETURN_IF_ERROR(batch.AddColumn("id", std::move(ids)));
  LARDER_RETURN_IF_ERROR(batch.AddColumn("at", std::move(times)));
  for (std::size_t i = 0; i < kRowFeatures; ++i) {
    LARDER_RETURN_IF_ERROR(batch.AddColumn(Concat("v", view, "_f", i), std::move(features[i])));
  }
  return batch;
}

absl::StatusOr<FeatureStore> OpenStore(const std::string& path, larder::Durability durability) {
  larder::StoreOptions options;
  options.durability = durability;
  options.clock = [] { return kNow; };
  return FeatureStore::Open(path, options);
}

absl::StatusOr<FeatureStore> MakeEmptyStore(const StoreSpec& spec, const std::string& path,
                                            const std::string& sources,
                                            larder::Durability durability) {
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(path, durability));
  LARDER_ASSIGN_OR_RETURN(const larder::Definitions definitions,
                          larder::ParseDefinitions(DefinitionsOf(spec, sources), "bench"));
  LARDER_RETURN_IF_ERROR(store.Apply(definitions).status());
  return store;
}

absl::Status MaterializeView(FeatureStore& store, int view) {
  larder::MaterializeOptions options;
  options.views = {Concat("view", view)};
  options.full = true;
  return store.Materialize(options).status();
}

absl::Status MakeStore(const StoreSpec& spec, const std::string& path) {
  const std::string sources = path + "-sources";
  LARDER_RETURN_IF_ERROR(WriteSourceFiles(spec, sources));
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, MakeEmptyStore(spec, path, sources));
  // View by view: a load keeps what it read until it is written.
  for (int view = 0; view < spec.views; ++view) {
    LARDER_RETURN_IF_ERROR(MaterializeView(store, view));
  }
  return absl::OkStatus();
}

absl::Status CopyStore(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, error);
  if (error) return larder::InternalError("cannot copy ", from, ": ", error.message());
  return absl::OkStatus();
}

RandomKeys::RandomKeys(const StoreSpec& spec, uint64_t first, uint64_t count) : kind_(spec.keys) {
  std::mt19937_64 random(20240501);
  std::uniform_int_distribution<uint64_t> any(first, first + count - 1);
  entities_.resize(kKeysDrawn);
  for (uint64_t& entity : entities_) entity = any(random);
  if (kind_ == KeyKind::kInteger) {
    integers_.assign(entities_.begin(), entities_.end());
    return;
  }
  bytes_.reserve(kKeysDrawn * kTextKeySize);
  for (const uint64_t entity : entities_) bytes_ += TextKey(entity);
  for (std::size_t i = 0; i < kKeysDrawn; ++i) {
    texts_.emplace_back(bytes_.data() + i * kTextKeySize, kTextKeySize);
  }
}

larder::InputColumn RandomKeys::Column(std::size_t first, std::size_t count) const {
  if (kind_ == KeyKind::kInteger) {
    return larder::InputColumn::Of(std::span(integers_).subspan(first, count));
  }
  return larder::InputColumn::Of(std::span(texts_).subspan(first, count));
}

}  // namespace larder_bench
