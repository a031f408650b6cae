#include "io/csv_tokenizer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "larder/io/csv_reader.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kFirstBufferSize = std::size_t{256} << 10;

void HalveQuotes(RawField* field) {
  char* to = field->data;
  const char* const end = field->data + field->size;
  for (const char* from = field->data; from < end; ++from) {
    if (*from == '"') ++from;
    *to++ = *from;
  }
  field->size = static_cast<std::size_t>(to - field->data);
}

}  // namespace

CsvTokenizer::CsvTokenizer(std::unique_ptr<ByteSource> source, char delimiter)
    : source_(std::move(source)), delimiter_(delimiter), buffer_(kFirstBufferSize) {
  ends_field_[static_cast<unsigned char>(delimiter)] = true;
  ends_field_[static_cast<unsigned char>('\n')] = true;
  buffer_[0] = '\n';
}

absl::Status CsvTokenizer::Refuse(std::string_view why) const {
  return InvalidArgumentError(name(), ":", line_, ": ", why);
}

absl::Status CsvTokenizer::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ > kLineSizeMax) {
    return Refuse(Concat("a record of more than ", kLineSizeMax,
                         " bytes; perhaps a quote that never closes"));
  }
  if (end_ + 1 >= buffer_.size()) buffer_.resize(buffer_.size() * 2);
  LARDER_ASSIGN_OR_RETURN(const std::size_t got,
                          source_->Read(buffer_.data() + end_, buffer_.size() - 1 - end_));
  at_end_ = got == 0;
  end_ += got;
  buffer_[end_] = '\n';
  return absl::OkStatus();
}

// Steps over a quoted field that begins at `p`. Null when more bytes are needed to decide.
char* CsvTokenizer::ScanQuoted(char* p, RawField* field) {
  char* const end = buffer_.data() + end_;
  char* const first = p + 1;
  bool escapes = false;
  for (char* from = first;;) {
    auto* quote = static_cast<char*>(std::memchr(from, '"', static_cast<std::size_t>(end - from)));
    if (quote == nullptr || (quote + 1 == end && !at_end_)) {
      unclosed_ = true;
      return nullptr;
    }
    if (quote + 1 < end && quote[1] == '"') {
      escapes = true;
      from = quote + 2;
      continue;
    }
    *field = {first, static_cast<std::size_t>(quote - first), true};
    lines_in_record_ += std::count(first, quote, '\n');
    if (escapes) escaped_.push_back(fields_.size());
    return quote + 1;
  }
}

CsvTokenizer::Scan CsvTokenizer::ScanRecord() {
  fields_.clear();
  escaped_.clear();
  malformed_ = false;
  unclosed_ = false;
  lines_in_record_ = 1;
  char* p = buffer_.data() + begin_;
  char* const end = buffer_.data() + end_;
  for (;;) {
    RawField field;
    char* start = p;
    if (p < end && *p == '"') {
      start = ScanQuoted(p, &field);
      if (start == nullptr) return Scan::kNeedMore;
      p = start;
    }
    while (!ends_field_[static_cast<unsigned char>(*p)]) ++p;
    if (p == end && !at_end_) return Scan::kNeedMore;
    const bool ends_record = p == end || *p != delimiter_;
    char* stop = p;
    if (ends_record && stop > start && stop[-1] == '\r') --stop;
    if (!field.quoted) {
      field = {start, static_cast<std::size_t>(stop - start), false};
    } else if (stop != start) {
      malformed_ = true;
    }
    fields_.push_back(field);
    if (ends_record) {
      next_begin_ = static_cast<std::size_t>(std::min(p + 1, end) - buffer_.data());
      return Scan::kDone;
    }
    ++p;
  }
}

absl::StatusOr<bool> CsvTokenizer::Next() {
  if (!started_) {
    started_ = true;
    while (end_ < 3 && !at_end_) LARDER_RETURN_IF_ERROR(Fill());
    const std::string_view head(buffer_.data(), end_);
    if (head.starts_with("\xEF\xBB\xBF")) begin_ = 3;
    if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) {
      return Refuse("the text is UTF-16, expected UTF-8");
    }
    if (head.starts_with("\x1F\x8B")) {
      return Refuse("the data is gzip; name the file .gz or declare the compression gzip");
    }
  }
  for (;;) {
    if (begin_ == end_ && at_end_) {
      fields_.clear();
      return false;
    }
    if (begin_ < end_ && ScanRecord() == Scan::kDone) break;
    if (at_end_) {
      if (unclosed_) return Refuse("a quote in the record that begins here never closes");
      return false;
    }
    LARDER_RETURN_IF_ERROR(Fill());
  }
  if (next_begin_ - begin_ > kLineSizeMax) {
    return Refuse(Concat("a record of more than ", kLineSizeMax, " bytes"));
  }
  if (fields_.size() > kLineFieldsMax) {
    return Refuse(
        Concat("a record of ", fields_.size(), " fields, expected at most ", kLineFieldsMax));
  }
  for (const std::size_t i : escaped_) HalveQuotes(&fields_[i]);
  record_line_ = line_;
  line_ += lines_in_record_;
  begin_ = next_begin_;
  return true;
}

}  // namespace larder::inline LARDER_ABI
