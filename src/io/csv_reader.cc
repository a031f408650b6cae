#include "larder/io/csv_reader.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "io/byte_source.h"
#include "io/cell_column.h"
#include "io/csv_tokenizer.h"
#include "larder/base/text.h"
#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::StatusOr<char> DelimiterOf(const TextFormat& format) {
  if (format.delimiter == "\\t" || format.delimiter == "tab") return '\t';
  if (format.delimiter.size() == 1) {
    const char c = format.delimiter[0];
    if (c != '"' && c != '\n' && c != '\r' && c != '\0') return c;
  }
  return InvalidArgumentError(
      "the delimiter must be one character other than a quote or line end, found \"",
      format.delimiter, "\"");
}

class CsvReader : public RecordReader {
 public:
  CsvReader(const Source& source, TextReadOptions options)
      : options_(std::move(options)),
        source_name_(source.name),
        fields_(source.fields),
        format_(source.format),
        nulls_(source.format.null_values),
        strict_(options_.strict.value_or(source.format.strict)) {}

  absl::Status Prepare(const std::string& time_zone) {
    if (fields_.empty()) return InvalidArgumentError("source ", source_name_, " has no fields");
    options_.batch_rows = std::clamp<std::size_t>(options_.batch_rows, 1, kBatchRowsMax);
    LARDER_ASSIGN_OR_RETURN(delimiter_, DelimiterOf(format_));
    TimeZone zone;
    if (!time_zone.empty()) {
      LARDER_ASSIGN_OR_RETURN(zone, TimeZone::Load(time_zone));
    }
    for (const Field& field : fields_) {
      LARDER_ASSIGN_OR_RETURN(CellColumn column, CellColumn::Make(field, zone, &nulls_, &notes_));
      columns_.push_back(std::move(column));
    }
    lines_.reserve(options_.batch_rows);
    return absl::OkStatus();
  }

  // Opens the first file at once, so that a missing one or a bad header is found before any row is used.
  absl::Status Start(std::vector<std::string> paths) {
    paths_ = std::move(paths);
    return OpenNextFile();
  }
  absl::Status StartText(std::string text, std::string origin) {
    return UseFile(MakeTextSource(std::move(text), std::move(origin)));
  }

  std::span<const Field> fields() const override { return fields_; }
  const ReadCounts& counts() const override { return counts_; }
  std::string PlaceOf(std::size_t row) const override {
    return row < lines_.size() ? Concat(batch_file_, ":", lines_[row]) : batch_file_;
  }

  absl::StatusOr<bool> Next(Batch* out) override {
    *out = Batch();
    if (!failed_.ok()) return failed_;
    auto rows = ReadRows();
    if (!rows.ok()) {
      failed_ = rows.status();
      return failed_;
    }
    if (*rows == 0) return false;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      LARDER_RETURN_IF_ERROR(out->AddColumn(fields_[i].name, columns_[i].Take()));
    }
    return true;
  }

 private:
  absl::StatusOr<std::size_t> ReadRows() {
    lines_.clear();
    for (;;) {
      if (tokens_ == nullptr) {
        if (next_path_ >= paths_.size()) return std::size_t{0};
        LARDER_RETURN_IF_ERROR(OpenNextFile());
      }
      while (lines_.size() < options_.batch_rows) {
        LARDER_ASSIGN_OR_RETURN(const bool more, tokens_->Next());
        if (!more) {
          tokens_.reset();
          break;
        }
        if (tokens_->is_blank() && header_size_ != 1) continue;
        LARDER_RETURN_IF_ERROR(TakeRecord());
      }
      if (!lines_.empty()) {
        counts_.rows += static_cast<int64_t>(lines_.size());
        counts_.floored_timestamps = notes_.floored_timestamps;
        counts_.integral_decimals = notes_.integral_decimals;
        batch_file_ = file_;
        return lines_.size();
      }
    }
  }

  absl::Status TakeRecord() {
    const std::span<const RawField> cells = tokens_->fields();
    if (tokens_->is_malformed())
      return BadRow("found text after a closing quote, expected a delimiter");
    if (cells.size() != header_size_) {
      return BadRow(Concat("found ", cells.size(), cells.size() == 1 ? " field" : " fields",
                           ", expected ", header_size_));
    }
    const TextNotes before = notes_;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const RawField& cell = cells[places_[i]];
      if (!columns_[i].Put(cell.text(), cell.quoted)) {
        notes_ = before;
        return BadRow(Concat("column ", header_names_[i], ": found ", Shown(cell.text()),
                             ", expected ", columns_[i].Expected()));
      }
    }
    for (CellColumn& column : columns_) column.Accept();
    lines_.push_back(tokens_->line());
    return absl::OkStatus();
  }

  [[nodiscard]] std::string Shown(std::string_view text) const {
    if (!options_.show_values) {
      return Concat("text of ", text.size(), text.size() == 1 ? " byte" : " bytes", " (hidden)");
    }
    constexpr std::size_t kShownMax = 80;
    std::string shown(text.substr(0, kShownMax));
    if (!IsValidUtf8(shown)) return Concat("text of ", text.size(), " bytes that is not UTF-8");
    return Concat("\"", shown, text.size() > kShownMax ? "...\"" : "\"");
  }

  absl::Status BadRow(std::string_view why) {
    std::string reason = Concat(file_, ":", tokens_->line(), ": ", why);
    if (strict_) return InvalidArgumentError(reason);
    counts_.AddBadRow(std::move(reason));
    return absl::OkStatus();
  }

  absl::Status OpenNextFile() {
    LARDER_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> bytes,
                            OpenByteSource(paths_[next_path_++], format_.compression));
    return UseFile(std::move(bytes));
  }

  absl::Status UseFile(std::unique_ptr<ByteSource> bytes) {
    file_ = bytes->name();
    tokens_ = std::make_unique<CsvTokenizer>(std::move(bytes), delimiter_);
    ++counts_.files;
    return ReadHeader();
  }

  absl::Status ReadHeader() {
    bool more = false;
    do {
      LARDER_ASSIGN_OR_RETURN(more, tokens_->Next());
    } while (more && tokens_->is_blank());
    if (!more)
      return InvalidArgumentError(file_, ": found no header, expected a line of column names");
    std::map<std::string, std::size_t, std::less<>> places;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < tokens_->fields().size(); ++i) {
      const std::string name(tokens_->fields()[i].text());
      if (!IsValidUtf8(name)) {
        return InvalidArgumentError(file_, ":", tokens_->line(), ": the name of column ", i + 1,
                                    " is not UTF-8");
      }
      if (name.empty()) continue;  // as a trailing delimiter makes
      if (!places.emplace(name, i).second) {
        return InvalidArgumentError(file_, ":", tokens_->line(), ": column ", name,
                                    " occurs twice in the header");
      }
      names.push_back(name);
    }
    header_size_ = tokens_->fields().size();
    places_.clear();
    header_names_.clear();
    for (const Field& field : fields_) {
      const std::string& wanted = field.from.empty() ? field.name : field.from;
      const auto place = places.find(wanted);
      if (place == places.end()) {
        std::string hint = DidYouMean(wanted, names);
        if (names.size() == 1 && fields_.size() > 1) {
          hint = Concat("; the header is a single column, is \"", format_.delimiter,
                        "\" the delimiter?");
        }
        return InvalidArgumentError(file_, ": source ", source_name_, " needs column ", wanted,
                                    ", which the header lacks", hint);
      }
      places_.push_back(place->second);
      header_names_.push_back(wanted);
    }
    return absl::OkStatus();
  }

  TextReadOptions options_;
  std::string source_name_;
  std::vector<Field> fields_;
  TextFormat format_;
  NullTokens nulls_;
  bool strict_;
  char delimiter_ = ',';
  TextNotes notes_;
  ReadCounts counts_;
  absl::Status failed_;

  std::vector<std::string> paths_;
  std::size_t next_path_ = 0;
  std::string file_;
  std::unique_ptr<CsvTokenizer> tokens_;
  std::size_t header_size_ = 0;
  std::vector<std::size_t> places_;        // of each field in the file at hand
  std::vector<std::string> header_names_;  // of each field

  std::vector<CellColumn> columns_;
  std::string batch_file_;
  std::vector<int64_t> lines_;
};

absl::StatusOr<std::unique_ptr<CsvReader>> Prepared(const Source& source,
                                                    const TextReadOptions& options) {
  auto reader = std::make_unique<CsvReader>(source, options);
  LARDER_RETURN_IF_ERROR(reader->Prepare(source.time_zone));
  return reader;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordReader>> OpenCsv(const Source& source,
                                                      const TextReadOptions& options) {
  LARDER_ASSIGN_OR_RETURN(std::vector<std::string> paths,
                          ExpandPath(source.path, options.base_path));
  return OpenCsvFiles(paths, source, options);
}

absl::StatusOr<std::unique_ptr<RecordReader>> OpenCsvFiles(std::span<const std::string> paths,
                                                           const Source& source,
                                                           const TextReadOptions& options) {
  if (paths.empty()) return InvalidArgumentError("source ", source.name, ": no files to read");
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<CsvReader> reader, Prepared(source, options));
  LARDER_RETURN_IF_ERROR(reader->Start({paths.begin(), paths.end()}));
  return reader;
}

absl::StatusOr<std::unique_ptr<RecordReader>> OpenCsvText(std::string text, std::string origin,
                                                          const Source& source,
                                                          const TextReadOptions& options) {
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<CsvReader> reader, Prepared(source, options));
  LARDER_RETURN_IF_ERROR(reader->StartText(std::move(text), std::move(origin)));
  return reader;
}

}  // namespace larder::inline LARDER_ABI
