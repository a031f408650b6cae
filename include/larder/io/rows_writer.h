// A writer for the format that a file's name asks for.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/io/dense_writer.h"
#include "larder/io/record_writer.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

enum class RowsFormat : uint8_t { kCsv, kNdjson, kNpy, kNpz, kLibsvm, kParquet };

// By the end of the name: .csv, .tsv (delimited by tabs), .ndjson or .jsonl, .libsvm or .svm, each perhaps with .gz
// after it; .npy, .npz, .parquet.
// Errors: kInvalidArgument naming the endings there are.
[[nodiscard]] absl::StatusOr<RowsFormat> FormatOfPath(std::string_view path);

// .npy, .npz and LibSVM's text: DenseOptions apply.
[[nodiscard]] constexpr bool IsDense(RowsFormat format) {
  return format == RowsFormat::kNpy || format == RowsFormat::kNpz || format == RowsFormat::kLibsvm;
}

// Errors: as FormatOfPath and the format's own writer.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordWriter>> CreateRows(
    const std::string& path, std::span<const Field> fields, const DenseOptions& options = {});

// Names and types of the batch's columns, as writers take them.
[[nodiscard]] std::vector<Field> FieldsOf(const Batch& batch);

}  // namespace larder::inline LARDER_ABI
