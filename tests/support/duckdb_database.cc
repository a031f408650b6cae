#include "support/duckdb_database.h"

#include <duckdb.h>

#include <utility>
#include <vector>

#include "larder/base/text.h"

namespace larder_test {

using larder::Column;
using larder::Concat;
using larder::TypeId;

struct DuckDbDatabase::Handles {
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  Handles() = default;
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
  ~Handles() {
    if (connection != nullptr) duckdb_disconnect(&connection);
    if (database != nullptr) duckdb_close(&database);
  }
};

namespace {

absl::Status Failed(const char* message) {
  return larder::InvalidArgumentError("duckdb: ", message == nullptr ? "no message" : message);
}

struct Result {
  duckdb_result result = {};
  Result() = default;
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  ~Result() { duckdb_destroy_result(&result); }
};

const char* SqlType(TypeId type) {
  switch (type) {
    case TypeId::kBool:
      return "BOOLEAN";
    case TypeId::kInt32:
      return "INTEGER";
    case TypeId::kInt64:
      return "BIGINT";
    case TypeId::kFloat64:
      return "DOUBLE";
    case TypeId::kString:
      return "VARCHAR";
    case TypeId::kDate:
      return "DATE";
    case TypeId::kTimestamp:
      return "TIMESTAMP";
    default:
      return nullptr;
  }
}

absl::StatusOr<TypeId> TypeOf(duckdb_type type, std::string_view column) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return TypeId::kBool;
    case DUCKDB_TYPE_INTEGER:
      return TypeId::kInt32;
    case DUCKDB_TYPE_BIGINT:
      return TypeId::kInt64;
    case DUCKDB_TYPE_DOUBLE:
      return TypeId::kFloat64;
    case DUCKDB_TYPE_VARCHAR:
      return TypeId::kString;
    case DUCKDB_TYPE_DATE:
      return TypeId::kDate;
    case DUCKDB_TYPE_TIMESTAMP:
      return TypeId::kTimestamp;
    default:
      return larder::UnimplementedError("duckdb column ", column, " has type number ",
                                        static_cast<int>(type));
  }
}

duckdb_state AppendCell(duckdb_appender appender, const Column& column, std::size_t row) {
  if (!column.IsValid(row)) return duckdb_append_null(appender);
  switch (column.type().id()) {
    case TypeId::kBool:
      return duckdb_append_bool(appender, column.Values<uint8_t>()[row] != 0);
    case TypeId::kInt32:
      return duckdb_append_int32(appender, column.Values<int32_t>()[row]);
    case TypeId::kInt64:
      return duckdb_append_int64(appender, column.Values<int64_t>()[row]);
    case TypeId::kFloat64:
      return duckdb_append_double(appender, column.Values<double>()[row]);
    case TypeId::kDate:
      return duckdb_append_date(appender, {column.Values<int32_t>()[row]});
    case TypeId::kTimestamp:
      return duckdb_append_timestamp(appender, {column.Values<int64_t>()[row]});
    default:
      return duckdb_append_varchar_length(appender, column.Text(row).data(),
                                          column.Text(row).size());
  }
}

template <class T>
void TakeFixed(const void* data, uint64_t* validity, idx_t rows, Column* out) {
  for (idx_t i = 0; i < rows; ++i) {
    if (duckdb_validity_row_is_valid(validity, i)) {
      out->AppendFixed(static_cast<const T*>(data)[i]);
    } else {
      out->AppendNull();
    }
  }
}

void TakeVector(duckdb_vector vector, idx_t rows, Column* out) {
  void* data = duckdb_vector_get_data(vector);
  uint64_t* validity = duckdb_vector_get_validity(vector);
  switch (out->type().id()) {
    case TypeId::kBool:
      return TakeFixed<uint8_t>(data, validity, rows, out);
    case TypeId::kInt32:
    case TypeId::kDate:
      return TakeFixed<int32_t>(data, validity, rows, out);
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      return TakeFixed<int64_t>(data, validity, rows, out);
    case TypeId::kFloat64:
      return TakeFixed<double>(data, validity, rows, out);
    default:
      for (idx_t i = 0; i < rows; ++i) {
        if (!duckdb_validity_row_is_valid(validity, i)) {
          out->AppendNull();
          continue;
        }
        duckdb_string_t* text = static_cast<duckdb_string_t*>(data) + i;
        out->AppendText({duckdb_string_t_data(text), duckdb_string_t_length(*text)});
      }
  }
}

}  // namespace

DuckDbDatabase::DuckDbDatabase(std::unique_ptr<Handles> handles) : handles_(std::move(handles)) {}
DuckDbDatabase::DuckDbDatabase(DuckDbDatabase&&) noexcept = default;
DuckDbDatabase& DuckDbDatabase::operator=(DuckDbDatabase&&) noexcept = default;
DuckDbDatabase::~DuckDbDatabase() = default;

absl::StatusOr<DuckDbDatabase> DuckDbDatabase::Open() {
  auto handles = std::make_unique<Handles>();
  if (duckdb_open(nullptr, &handles->database) != DuckDBSuccess ||
      duckdb_connect(handles->database, &handles->connection) != DuckDBSuccess) {
    return Failed("cannot open a database in memory");
  }
  DuckDbDatabase database(std::move(handles));
  // Nothing is downloaded behind a test's back, and rows keep their order.
  for (const char* setting :
       {"SET autoinstall_known_extensions = false", "SET autoload_known_extensions = false",
        "SET preserve_insertion_order = true", "SET TimeZone = 'UTC'"}) {
    LARDER_RETURN_IF_ERROR(database.Run(setting));
  }
  return database;
}

absl::Status DuckDbDatabase::Run(const std::string& sql) {
  Result result;
  if (duckdb_query(handles_->connection, sql.c_str(), &result.result) != DuckDBSuccess)
    return Failed(duckdb_result_error(&result.result));
  return absl::OkStatus();
}

absl::Status DuckDbDatabase::PutTable(const std::string& name, const larder::Batch& rows) {
  std::vector<std::string> columns;
  for (std::size_t c = 0; c < rows.column_count(); ++c) {
    const char* type = SqlType(rows.column(c).type().id());
    if (type == nullptr)
      return larder::UnimplementedError("no DuckDB type for column ", rows.name(c));
    columns.push_back(Concat("\"", rows.name(c), "\" ", type));
  }
  LARDER_RETURN_IF_ERROR(
      Run(Concat("CREATE OR REPLACE TABLE ", name, " (", larder::Join(columns, ", "), ")")));
  duckdb_appender appender = nullptr;
  if (duckdb_appender_create(handles_->connection, nullptr, name.c_str(), &appender) !=
      DuckDBSuccess) {
    const absl::Status failed = Failed(duckdb_appender_error(appender));
    duckdb_appender_destroy(&appender);
    return failed;
  }
  bool good = true;
  for (std::size_t row = 0; row < rows.row_count() && good; ++row) {
    for (std::size_t c = 0; c < rows.column_count() && good; ++c)
      good = AppendCell(appender, rows.column(c), row) == DuckDBSuccess;
    good = good && duckdb_appender_end_row(appender) == DuckDBSuccess;
  }
  good = good && duckdb_appender_close(appender) == DuckDBSuccess;
  const absl::Status status = good ? absl::OkStatus() : Failed(duckdb_appender_error(appender));
  duckdb_appender_destroy(&appender);
  return status;
}

absl::StatusOr<larder::Batch> DuckDbDatabase::Query(const std::string& sql) {
  Result result;
  if (duckdb_query(handles_->connection, sql.c_str(), &result.result) != DuckDBSuccess)
    return Failed(duckdb_result_error(&result.result));
  std::vector<std::string> names;
  std::vector<Column> columns;
  for (idx_t c = 0; c < duckdb_column_count(&result.result); ++c) {
    names.emplace_back(duckdb_column_name(&result.result, c));
    LARDER_ASSIGN_OR_RETURN(const TypeId type,
                            TypeOf(duckdb_column_type(&result.result, c), names.back()));
    columns.emplace_back(type);
  }
  while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result.result)) {
    for (idx_t c = 0; c < columns.size(); ++c)
      TakeVector(duckdb_data_chunk_get_vector(chunk, c), duckdb_data_chunk_get_size(chunk),
                 &columns[c]);
    duckdb_destroy_data_chunk(&chunk);
  }
  larder::Batch batch;
  for (std::size_t c = 0; c < columns.size(); ++c)
    LARDER_RETURN_IF_ERROR(batch.AddColumn(names[c], std::move(columns[c])));
  return batch;
}

}  // namespace larder_test
