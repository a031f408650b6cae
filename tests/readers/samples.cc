// A library that Python loads: writes the files that other programs then read, and hands out an Arrow stream.
#include <cstdio>
#include <memory>
#include <string>

#include "io/rows_of_every_type.h"
#include "larder/io/arrow_stream.h"
#include "larder/io/record_reader.h"
#include "larder/io/rows_writer.h"

namespace larder_test {
namespace {

// The features of every sample matrix, with a label, a query and nulls.
larder::Batch MatrixRows() {
  return MakeRows(
      {{"user", {"ann", larder::Value(), "bob"}},
       {"at", {larder::Timestamp{1'700'000'000'000'000}, larder::Timestamp{0}, larder::Timestamp{1}}},
       {"x", {0.5, larder::Value(), -2.0}},
       {"n", {int64_t{0}, int64_t{3}, larder::Value()}},
       {"group", {int64_t{1}, int64_t{1}, int64_t{2}}},
       {"bought", {true, false, true}}},
      {larder::TypeId::kString, larder::TypeId::kTimestamp, larder::TypeId::kFloat64,
       larder::TypeId::kInt64, larder::TypeId::kInt64, larder::TypeId::kBool});
}

bool Write(const std::string& path, const larder::Batch& rows, const larder::DenseOptions& options) {
  const auto writer = larder::CreateRows(path, larder::FieldsOf(rows), options);
  return writer.ok() && (*writer)->Write(rows).ok() && (*writer)->Finish().ok();
}

bool WriteSamples(const std::string& folder) {
  larder::DenseOptions options;
  options.features = {"x", "n"};
  if (!Write(folder + "/matrix.npy", MatrixRows(), options)) return false;
  options.label = "bought";
  options.query = "group";
  if (!Write(folder + "/stored.npz", MatrixRows(), options)) return false;
  options.compress = true;
  options.dtype = larder::TypeId::kFloat64;
  if (!Write(folder + "/packed.npz", MatrixRows(), options)) return false;
  options.nulls = {larder::NullRule::Kind::kOmit, 0};
  if (!Write(folder + "/matrix.libsvm", MatrixRows(), options)) return false;
  if (!Write(folder + "/matrix.libsvm.gz", MatrixRows(), options)) return false;
  for (const char* name : {"/rows.csv", "/rows.csv.gz", "/rows.ndjson", "/rows.ndjson.gz"}) {
    if (!Write(folder + name, RowsOfEveryType(), options)) return false;
  }
  return true;
}

// What an importer of Arrow makes of somebody else's stream, as a line of JSON a row; the error where there is one.
std::string ReadStream(ArrowArrayStream* stream, const std::string& path) {
  const auto reader = larder::ImportArrowStream(stream);
  if (!reader.ok()) return std::string(larder::MessageOf(reader.status()));
  const auto rows = larder::ReadAll(**reader);
  if (!rows.ok()) return std::string(larder::MessageOf(rows.status()));
  return Write(path, *rows, {}) ? std::string() : "cannot write " + path;
}

}  // namespace
}  // namespace larder_test

extern "C" int larder_read_stream(ArrowArrayStream* stream, const char* path, char* error,
                                  std::size_t error_size) {
  const std::string text = larder_test::ReadStream(stream, path);
  std::snprintf(error, error_size, "%s", text.c_str());
  return text.empty() ? 0 : 1;
}

extern "C" int larder_write_samples(const char* folder) {
  return larder_test::WriteSamples(folder) ? 0 : 1;
}

extern "C" int larder_sample_stream(ArrowArrayStream* out) {
  auto rows = std::make_shared<const larder::Batch>(larder_test::RowsOfEveryType());
  return larder::ExportArrowStream(std::move(rows), out).ok() ? 0 : 1;
}
