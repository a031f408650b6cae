// A database of DuckDB's in this process, and what a query of it gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/duckdb_library.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// 'text', for SQL.
[[nodiscard]] std::string SqlText(std::string_view text);
// "name", for SQL.
[[nodiscard]] std::string SqlName(std::string_view name);

// Parts SQL before its last statement, which has no closing semicolon then: what must run first, and the query.
[[nodiscard]] std::pair<std::string, std::string> PartLastStatement(std::string_view sql);

struct DuckDbOptions {
  int thread_count = 1;
  std::string file_search_path;  // where relative paths in SQL start; empty: the working directory
};

// A column of a query, before it runs.
struct DuckDbColumn {
  std::string name;
  int type = 0;     // duckdb_abi::Type
  int element = 0;  // of LIST and ARRAY; of MAP: the value
  int key = 0;      // of MAP
};

class DuckDbConnection;

// Some rows of a result. Movable.
class DuckDbChunk {
 public:
  DuckDbChunk(const DuckDbLibrary* api, duckdb_abi::Handle chunk) : api_(api), chunk_(chunk) {}
  DuckDbChunk(DuckDbChunk&& other) noexcept;
  DuckDbChunk& operator=(DuckDbChunk&& other) noexcept;
  ~DuckDbChunk();
  [[nodiscard]] std::size_t row_count() const;
  [[nodiscard]] duckdb_abi::Handle vector(std::size_t column) const;

 private:
  const DuckDbLibrary* api_;
  duckdb_abi::Handle chunk_;
};

// The rows of a running query, handed out as they come.
class DuckDbRows {
 public:
  DuckDbRows(std::shared_ptr<DuckDbConnection> connection, duckdb_abi::Handle statement)
      : connection_(std::move(connection)), statement_(statement) {}
  DuckDbRows(const DuckDbRows&) = delete;
  DuckDbRows& operator=(const DuckDbRows&) = delete;
  ~DuckDbRows();

  // Of the query. Lifetime: as long as this.
  [[nodiscard]] std::vector<DuckDbColumn> columns() const;
  // The next rows; nullopt at the end. Errors: kInvalidArgument with DuckDB's message.
  absl::StatusOr<std::optional<DuckDbChunk>> Next();

 private:
  std::shared_ptr<DuckDbConnection> connection_;
  duckdb_abi::Handle statement_;
  bool started_ = false;
  duckdb_abi::Result result_ = {};
};

// Nothing is downloaded behind the caller's back: an extension is there only when a query loads it. Times without an
// offset are UTC.
//
// Threads: thread-bound.
class DuckDbConnection : public std::enable_shared_from_this<DuckDbConnection> {
 public:
  // Errors: as DuckDbLibrary::Load; kResourceExhausted when DuckDB cannot start.
  static absl::StatusOr<std::shared_ptr<DuckDbConnection>> Open(const DuckDbOptions& options = {});
  DuckDbConnection(const DuckDbConnection&) = delete;
  DuckDbConnection& operator=(const DuckDbConnection&) = delete;
  ~DuckDbConnection();

  [[nodiscard]] const DuckDbLibrary& api() const { return *api_; }
  [[nodiscard]] duckdb_abi::Handle handle() const { return connection_; }

  // Errors: kInvalidArgument with DuckDB's message.
  absl::Status Run(const std::string& sql);
  // Prepares one statement; it runs when its first rows are asked for. One at a time is read. Errors: as Run.
  absl::StatusOr<std::unique_ptr<DuckDbRows>> Query(const std::string& sql);

 private:
  explicit DuckDbConnection(const DuckDbLibrary* api) : api_(api) {}
  const DuckDbLibrary* api_;
  duckdb_abi::Handle database_ = nullptr;
  duckdb_abi::Handle connection_ = nullptr;
};

}  // namespace larder::inline LARDER_ABI
