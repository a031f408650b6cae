// Short ways to say what a delimited text holds.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "larder/io/csv_reader.h"
#include "larder/schema/definitions.h"
#include "support/catch.h"

namespace larder_test {

inline larder::Field MakeField(std::string name, larder::DataType type, std::string unit = "",
                               std::string from = "") {
  larder::Field field;
  field.name = std::move(name);
  field.type = type;
  field.unit = std::move(unit);
  field.from = std::move(from);
  return field;
}

inline larder::Source MakeSource(std::vector<larder::Field> fields) {
  larder::Source source;
  source.name = "rows";
  source.fields = std::move(fields);
  return source;
}

inline absl::StatusOr<larder::Batch> ReadText(std::string text, const larder::Source& source,
                                              larder::TextReadOptions options = {}) {
  options.show_values = true;
  LARDER_ASSIGN_OR_RETURN(auto reader,
                          larder::OpenCsvText(std::move(text), "rows.csv", source, options));
  return larder::ReadAll(*reader);
}

// Every cell in FormatValue's form, columns joined by blanks, rows by `; `.
inline std::string Dump(const larder::Batch& batch) {
  std::string out;
  for (std::size_t row = 0; row < batch.row_count(); ++row) {
    if (row > 0) out += "; ";
    for (std::size_t c = 0; c < batch.column_count(); ++c) {
      if (c > 0) out += " ";
      const auto& type = batch.column(c).type();
      const bool quote = type.is_text() && batch.column(c).IsValid(row);
      out += quote ? "'" + std::string(batch.column(c).Text(row)) + "'"
                   : larder::FormatValue(batch.column(c).ValueAt(row));
    }
  }
  return out;
}

inline std::string DumpText(std::string text, const larder::Source& source,
                            const larder::TextReadOptions& options = {}) {
  const auto batch = ReadText(std::move(text), source, options);
  return batch.ok() ? Dump(*batch) : "error: " + std::string(larder::MessageOf(batch.status()));
}

}  // namespace larder_test
