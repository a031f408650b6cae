// Cuts delimited text into records and fields.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "io/byte_source.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// Outer quotes taken off and doubled ones halved.
struct RawField {
  char* data = nullptr;
  std::size_t size = 0;
  bool quoted = false;
  [[nodiscard]] std::string_view text() const { return {data, size}; }
};

class CsvTokenizer {
 public:
  CsvTokenizer(std::unique_ptr<ByteSource> source, char delimiter);

  // The next record; false at the end. Fields live until the next call.
  // Errors: of the source; kInvalidArgument for UTF-16, a quote that never closes or a record over the limits.
  absl::StatusOr<bool> Next();

  [[nodiscard]] std::span<const RawField> fields() const { return fields_; }
  [[nodiscard]] int64_t line() const { return record_line_; }  // where the record begins, from 1
  // A line with nothing on it.
  [[nodiscard]] bool is_blank() const {
    return fields_.size() == 1 && fields_[0].size == 0 && !fields_[0].quoted;
  }
  // Text stands between a closing quote and the next delimiter.
  [[nodiscard]] bool is_malformed() const { return malformed_; }
  [[nodiscard]] const std::string& name() const { return source_->name(); }

 private:
  enum class Scan { kDone, kNeedMore };
  Scan ScanRecord();
  char* ScanQuoted(char* p, RawField* field);
  absl::Status Fill();
  absl::Status Refuse(std::string_view why) const;

  std::unique_ptr<ByteSource> source_;
  const char delimiter_;
  std::array<bool, 256> ends_field_{};
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what is not yet handed out
  std::size_t end_ = 0;  // of what was read; buffer_[end_] is a line feed, so that scans stop there
  bool at_end_ = false;
  bool started_ = false;
  bool malformed_ = false;
  bool unclosed_ = false;
  std::size_t next_begin_ = 0;
  int64_t lines_in_record_ = 0;
  int64_t line_ = 1;
  int64_t record_line_ = 0;
  std::vector<RawField> fields_;
  std::vector<std::size_t> escaped_;  // fields with doubled quotes still in them
};

}  // namespace larder::inline LARDER_ABI
