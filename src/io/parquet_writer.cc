#include "larder/io/parquet_writer.h"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "io/batch_scan.h"
#include "io/column_check.h"
#include "io/duckdb_connection.h"
#include "io/file_writer.h"

namespace larder::inline LARDER_ABI {
namespace {

// DuckDB's COPY runs on a thread of its own and scans the batches as they are written.
class ParquetWriter : public RecordWriter {
 public:
  ParquetWriter(std::unique_ptr<FileWriter> file, std::span<const Field> fields,
                std::shared_ptr<DuckDbConnection> connection, std::string path)
      : file_(std::move(file)),
        fields_(fields.begin(), fields.end()),
        connection_(std::move(connection)),
        path_(std::move(path)),
        scan_(fields_) {}
  ~ParquetWriter() override { static_cast<void>(Stop("the writer was destroyed before Finish")); }

  absl::Status Start(const ParquetWriteOptions& options) {
    LARDER_RETURN_IF_ERROR(scan_.Register(*connection_));
    const std::string sql =
        Concat("COPY (SELECT * FROM larder_rows()) TO ", SqlText(file_->temporary()),
               " (FORMAT parquet, USE_TMP_FILE false, COMPRESSION ", SqlText(options.compression),
               ", ROW_GROUP_SIZE ", options.row_group_rows, ")");
    copy_ = std::thread([this, sql] {
      copied_ = connection_->Run(sql);
      scan_.Abandon();
    });
    return absl::OkStatus();
  }

  absl::Status Write(const Batch& batch) override {
    LARDER_RETURN_IF_ERROR(CheckColumns(fields_, batch));
    if (!scan_.Push(batch)) return Stop(nullptr);
    rows_ += static_cast<int64_t>(batch.row_count());
    return absl::OkStatus();
  }

  absl::Status Finish() override {
    LARDER_RETURN_IF_ERROR(Stop(nullptr));
    return file_->Finish();
  }

  int64_t rows_written() const override { return rows_; }

 private:
  // Waits for the COPY, which is told to fail where there is a reason.
  absl::Status Stop(const char* error) {
    if (copy_.joinable()) {
      scan_.Close(error);
      copy_.join();
    }
    return copied_.ok() ? copied_ : Annotate(copied_, Concat("cannot write ", path_));
  }

  std::unique_ptr<FileWriter> file_;
  std::vector<Field> fields_;
  std::shared_ptr<DuckDbConnection> connection_;
  std::string path_;
  BatchScan scan_;
  std::thread copy_;
  absl::Status copied_;  // set by the thread
  int64_t rows_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordWriter>> CreateParquet(const std::string& path,
                                                            std::span<const Field> fields,
                                                            const ParquetWriteOptions& options) {
  LARDER_RETURN_IF_ERROR(CheckNames(fields));
  absl::StatusOr<std::shared_ptr<DuckDbConnection>> connection = DuckDbConnection::Open();
  if (!connection.ok()) return Annotate(connection.status(), Concat("cannot write ", path));
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<FileWriter> file,
                          FileWriter::Create(path, options.durable));
  auto writer =
      std::make_unique<ParquetWriter>(std::move(file), fields, *std::move(connection), path);
  LARDER_RETURN_IF_ERROR(writer->Start(options));
  return writer;
}

}  // namespace larder::inline LARDER_ABI
