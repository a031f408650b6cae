// Any bytes are delimited text of some kind: they are read or refused, never worse; batches of one row give what full
// ones give; and what was read is written and read back to the same columns.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "larder/io/csv_reader.h"
#include "larder/io/csv_writer.h"

namespace {

larder::Field MakeField(std::string name, larder::DataType type, std::string unit = "") {
  larder::Field field;
  field.name = std::move(name);
  field.type = type;
  field.unit = std::move(unit);
  return field;
}

absl::StatusOr<larder::Batch> Read(const std::string& text, const larder::Source& source,
                                   std::size_t batch_rows, larder::ReadCounts* counts) {
  larder::TextReadOptions options;
  options.batch_rows = batch_rows;
  options.show_values = batch_rows == 1;
  LARDER_ASSIGN_OR_RETURN(auto reader, larder::OpenCsvText(text, "fuzz.csv", source, options));
  LARDER_ASSIGN_OR_RETURN(larder::Batch batch, larder::ReadAll(*reader));
  *counts = reader->counts();
  return batch;
}

void Require(bool condition) {
  if (!condition) std::abort();
}

bool Same(const larder::Batch& a, const larder::Batch& b) {
  for (std::size_t i = 0; i < a.column_count(); ++i) {
    if (!(a.column(i) == b.column(i))) return false;
  }
  return a.column_count() == b.column_count();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  using larder::TypeId;
  larder::Source source;
  source.name = "fuzz";
  source.format.strict = (data[0] & 1U) != 0;
  source.format.delimiter = (data[0] & 2U) != 0 ? "," : "|";
  if ((data[0] & 4U) != 0) source.format.null_values.emplace_back("NA");
  if ((data[0] & 8U) != 0) source.time_zone = "America/New_York";
  const bool one_column = (data[0] & 16U) != 0;
  if (one_column) {
    source.fields = {MakeField("a", TypeId::kString)};
  } else {
    source.fields = {MakeField("a", TypeId::kString),
                     MakeField("b", TypeId::kInt64),
                     MakeField("c", TypeId::kFloat64),
                     MakeField("d", TypeId::kTimestamp),
                     MakeField("e", TypeId::kTimestamp, "ns"),
                     MakeField("f", TypeId::kDate),
                     MakeField("g", larder::DataType::List(TypeId::kInt32))};
  }
  std::string text;
  if ((data[0] & 32U) != 0) {
    for (const larder::Field& field : source.fields) {
      if (!text.empty()) text += source.format.delimiter;
      text += field.name;
    }
    text += '\n';
  }
  text.append(reinterpret_cast<const char*>(data + 1), size - 1);

  larder::ReadCounts counts;
  larder::ReadCounts one_counts;
  const auto batch = Read(text, source, larder::kBatchRowsMax, &counts);
  const auto one_by_one = Read(text, source, 1, &one_counts);
  Require(batch.ok() == one_by_one.ok());
  if (!batch.ok()) return 0;
  Require(Same(*batch, *one_by_one));
  Require(counts.rows == static_cast<int64_t>(batch->row_count()) &&
          counts.bad_rows == one_counts.bad_rows);

  // NaN's payload is the one thing text loses, and reading never makes one.
  std::string written;
  auto writer = larder::WriteCsvText(&written, source.fields);
  Require(writer.ok() && (*writer)->Write(*batch).ok() && (*writer)->Finish().ok());
  for (larder::Field& field : source.fields) field.unit.clear();
  source.format = {};
  const auto back = Read(written, source, larder::kBatchRowsMax, &counts);
  Require(back.ok() && Same(*batch, *back));
  return 0;
}
