#include "io/batch_scan.h"

#include <algorithm>
#include <atomic>

#include "io/duckdb_fill.h"

namespace larder::inline LARDER_ABI {

using duckdb_abi::Handle;

namespace {

// DuckDB's callbacks say whom they are for only through its own functions, so these are known without them. It is one
// library in a process.
std::atomic<const DuckDbLibrary*> library{nullptr};

}  // namespace

absl::Status BatchScan::Register(DuckDbConnection& connection) {
  api_ = &connection.api();
  library = api_;
  chunk_rows_ = static_cast<std::size_t>(api_->duckdb_vector_size());
  Handle function = api_->duckdb_create_table_function();
  api_->duckdb_table_function_set_name(function, "larder_rows");
  api_->duckdb_table_function_set_extra_info(function, this, nullptr);
  api_->duckdb_table_function_set_bind(function, &BatchScan::Bind);
  api_->duckdb_table_function_set_init(function, &BatchScan::Init);
  api_->duckdb_table_function_set_function(function, &BatchScan::Scan);
  const bool good = api_->duckdb_register_table_function(connection.handle(), function) == 0;
  api_->duckdb_destroy_table_function(&function);
  return good ? absl::OkStatus() : InternalError("DuckDB takes no table function");
}

bool BatchScan::Push(const Batch& batch) {
  if (batch.row_count() == 0) return true;
  std::unique_lock lock(mutex_);
  batch_ = &batch;
  next_row_ = 0;
  changed_.notify_all();
  changed_.wait(lock, [&] { return batch_ == nullptr || abandoned_; });
  batch_ = nullptr;
  return !abandoned_;
}

void BatchScan::Close(const char* error) {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  error_ = error;
  changed_.notify_all();
}

void BatchScan::Abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  changed_.notify_all();
}

void BatchScan::Bind(Handle info) {
  const DuckDbLibrary& api = *library.load();
  auto* scan = static_cast<BatchScan*>(api.duckdb_bind_get_extra_info(info));
  for (const Field& field : scan->fields_) {
    Handle type = MakeDuckDbType(api, field.type);
    api.duckdb_bind_add_result_column(info, field.name.c_str(), type);
    api.duckdb_destroy_logical_type(&type);
  }
}

void BatchScan::Init(Handle info) { library.load()->duckdb_init_set_max_threads(info, 1); }

void BatchScan::Scan(Handle info, Handle chunk) {
  static_cast<BatchScan*>(library.load()->duckdb_function_get_extra_info(info))->Fill(info, chunk);
}

void BatchScan::Fill(Handle info, Handle chunk) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return batch_ != nullptr || closed_; });
  if (batch_ == nullptr) {
    if (error_ != nullptr) api_->duckdb_function_set_error(info, error_);
    api_->duckdb_data_chunk_set_size(chunk, 0);
    return;
  }
  const std::size_t rows = std::min(chunk_rows_, batch_->row_count() - next_row_);
  for (std::size_t c = 0; c < batch_->column_count(); ++c) {
    FillVector(*api_, batch_->column(c), next_row_, rows,
               api_->duckdb_data_chunk_get_vector(chunk, c));
  }
  api_->duckdb_data_chunk_set_size(chunk, rows);
  next_row_ += rows;
  if (next_row_ < batch_->row_count()) return;
  batch_ = nullptr;
  changed_.notify_all();
}

}  // namespace larder::inline LARDER_ABI
