#include "io/duckdb_connection.h"

#include <utility>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

using duckdb_abi::Handle;

std::string Quote(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out.push_back(quote);
    out.push_back(c);
  }
  out.push_back(quote);
  return out;
}

absl::Status Failed(const char* message) {
  std::string_view text = message == nullptr ? "no message" : message;
  if (text.find("No space left on device") != std::string_view::npos)
    return WithKind(ResourceExhaustedError("DuckDB: ", text), ErrorKind::kDiskFull);
  return InvalidArgumentError("DuckDB: ", text);
}

// Where the text, comment or name that begins at `at` ends; `at` itself when none does.
std::size_t SkipQuoted(std::string_view sql, std::size_t at) {
  const auto after = [&](std::string_view end, std::size_t from) {
    const std::size_t found = sql.find(end, from);
    return found == std::string_view::npos ? sql.size() : found + end.size();
  };
  const std::string_view rest = sql.substr(at);
  if (rest.starts_with('\'')) return after("'", at + 1);  // a doubled quote begins the next text
  if (rest.starts_with('"')) return after("\"", at + 1);
  if (rest.starts_with("--")) return after("\n", at);
  if (rest.starts_with("/*")) return after("*/", at + 2);
  if (rest.starts_with("$$")) return after("$$", at + 2);
  return at;
}

// The settings of every database, and those asked for.
class Config {
 public:
  explicit Config(const DuckDbLibrary& api) : api_(api) { api_.duckdb_create_config(&config_); }
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;
  ~Config() { api_.duckdb_destroy_config(&config_); }
  void Set(const char* name, const std::string& value) {
    good_ = api_.duckdb_set_config(config_, name, value.c_str()) == 0 && good_;
  }
  [[nodiscard]] Handle handle() const { return config_; }
  [[nodiscard]] bool good() const { return good_; }

 private:
  const DuckDbLibrary& api_;
  Handle config_ = nullptr;
  bool good_ = true;
};

}  // namespace

std::string SqlText(std::string_view text) { return Quote(text, '\''); }
std::string SqlName(std::string_view name) { return Quote(name, '"'); }

std::pair<std::string, std::string> PartLastStatement(std::string_view sql) {
  std::size_t begin = 0;         // of the last statement
  std::size_t end = sql.size();  // its semicolon
  bool ended = false;
  for (std::size_t at = 0; at < sql.size();) {
    const std::size_t skipped = SkipQuoted(sql, at);
    const bool comment = skipped > at && (sql[at] == '-' || sql[at] == '/');
    const bool blank = sql[at] == ' ' || sql[at] == '\n' || sql[at] == '\t' || sql[at] == '\r';
    if (sql[at] == ';') {
      if (!ended) end = at;
      ended = true;
    } else if (ended && !blank && !comment) {
      begin = end + 1;
      ended = false;
    }
    at = skipped > at ? skipped : at + 1;
  }
  if (!ended) end = sql.size();
  return {std::string(sql.substr(0, begin)), std::string(sql.substr(begin, end - begin))};
}

DuckDbChunk::DuckDbChunk(DuckDbChunk&& other) noexcept
    : api_(other.api_), chunk_(std::exchange(other.chunk_, nullptr)) {}
DuckDbChunk& DuckDbChunk::operator=(DuckDbChunk&& other) noexcept {
  std::swap(api_, other.api_);
  std::swap(chunk_, other.chunk_);
  return *this;
}
DuckDbChunk::~DuckDbChunk() {
  if (chunk_ != nullptr) api_->duckdb_destroy_data_chunk(&chunk_);
}
std::size_t DuckDbChunk::row_count() const {
  return static_cast<std::size_t>(api_->duckdb_data_chunk_get_size(chunk_));
}
Handle DuckDbChunk::vector(std::size_t column) const {
  return api_->duckdb_data_chunk_get_vector(chunk_, column);
}

DuckDbRows::~DuckDbRows() {
  const DuckDbLibrary& api = connection_->api();
  if (started_) api.duckdb_destroy_result(&result_);
  api.duckdb_destroy_prepare(&statement_);
}

std::vector<DuckDbColumn> DuckDbRows::columns() const {
  const DuckDbLibrary& api = connection_->api();
  const auto take_id = [&](Handle type) {
    const int id = api.duckdb_get_type_id(type);
    api.duckdb_destroy_logical_type(&type);
    return id;
  };
  std::vector<DuckDbColumn> columns;
  const uint64_t count = api.duckdb_prepared_statement_column_count(statement_);
  for (uint64_t i = 0; i < count; ++i) {
    DuckDbColumn& column = columns.emplace_back();
    const char* name = api.duckdb_prepared_statement_column_name(statement_, i);
    if (name != nullptr) {
      column.name = name;
      api.duckdb_free(const_cast<char*>(name));  // NOLINT: the C API hands it over as const
    }
    Handle type = api.duckdb_prepared_statement_column_logical_type(statement_, i);
    column.type = api.duckdb_get_type_id(type);
    if (column.type == duckdb_abi::kList)
      column.element = take_id(api.duckdb_list_type_child_type(type));
    if (column.type == duckdb_abi::kArray)
      column.element = take_id(api.duckdb_array_type_child_type(type));
    if (column.type == duckdb_abi::kMap) {
      column.key = take_id(api.duckdb_map_type_key_type(type));
      column.element = take_id(api.duckdb_map_type_value_type(type));
    }
    api.duckdb_destroy_logical_type(&type);
  }
  return columns;
}

absl::StatusOr<std::optional<DuckDbChunk>> DuckDbRows::Next() {
  const DuckDbLibrary& api = connection_->api();
  if (!started_) {
    started_ = true;
    if (api.duckdb_execute_prepared_streaming(statement_, &result_) != 0)
      return Failed(api.duckdb_result_error(&result_));
  }
  Handle chunk = api.duckdb_fetch_chunk(result_);
  if (chunk != nullptr) return std::optional<DuckDbChunk>(DuckDbChunk(&api, chunk));
  const char* error = api.duckdb_result_error(&result_);
  if (error != nullptr && *error != '\0') return Failed(error);
  return std::optional<DuckDbChunk>();
}

absl::StatusOr<std::shared_ptr<DuckDbConnection>> DuckDbConnection::Open(
    const DuckDbOptions& options) {
  LARDER_ASSIGN_OR_RETURN(const DuckDbLibrary* api, DuckDbLibrary::Load());
  std::shared_ptr<DuckDbConnection> connection(new DuckDbConnection(api));
  Config config(connection->api());
  config.Set("autoinstall_known_extensions", "false");
  config.Set("autoload_known_extensions", "false");
  config.Set("threads", std::to_string(options.thread_count));
  char* why = nullptr;
  const bool opened =
      config.good() && connection->api_->duckdb_open_ext(nullptr, &connection->database_,
                                                         config.handle(), &why) == 0;
  if (!opened ||
      connection->api_->duckdb_connect(connection->database_, &connection->connection_) != 0) {
    const std::string reason = why == nullptr ? "no message" : why;
    if (why != nullptr) connection->api_->duckdb_free(why);
    return ResourceExhaustedError("DuckDB cannot start: ", reason);
  }
  LARDER_RETURN_IF_ERROR(connection->Run("SET TimeZone = 'UTC'"));
  if (!options.file_search_path.empty()) {
    LARDER_RETURN_IF_ERROR(
        connection->Run(Concat("SET file_search_path = ", SqlText(options.file_search_path))));
  }
  return connection;
}

DuckDbConnection::~DuckDbConnection() {
  if (connection_ != nullptr) api_->duckdb_disconnect(&connection_);
  if (database_ != nullptr) api_->duckdb_close(&database_);
}

absl::Status DuckDbConnection::Run(const std::string& sql) {
  duckdb_abi::Result result = {};
  const bool good = api_->duckdb_query(connection_, sql.c_str(), &result) == 0;
  const absl::Status status = good ? absl::OkStatus() : Failed(api_->duckdb_result_error(&result));
  api_->duckdb_destroy_result(&result);
  return status;
}

absl::StatusOr<std::unique_ptr<DuckDbRows>> DuckDbConnection::Query(const std::string& sql) {
  Handle statement = nullptr;
  if (api_->duckdb_prepare(connection_, sql.c_str(), &statement) != 0) {
    const absl::Status failed = Failed(api_->duckdb_prepare_error(statement));
    api_->duckdb_destroy_prepare(&statement);
    return failed;
  }
  return std::make_unique<DuckDbRows>(shared_from_this(), statement);
}

}  // namespace larder::inline LARDER_ABI
