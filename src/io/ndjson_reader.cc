#include "larder/io/ndjson_reader.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "io/byte_source.h"
#include "io/cell_column.h"
#include "io/line_reader.h"
#include "larder/base/text.h"
#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {
namespace {

using Json = nlohmann::json;

// Objects inside a line nest no deeper than this; the parser's stack is the host's.
constexpr int kDepthMax = 32;

class NdjsonReader : public RecordReader {
 public:
  NdjsonReader(const Source& source, TextReadOptions options)
      : options_(std::move(options)),
        source_name_(source.name),
        compression_(source.format.compression),
        fields_(source.fields),
        strict_(options_.strict.value_or(source.format.strict)) {}

  absl::Status Prepare(const std::string& time_zone) {
    if (fields_.empty()) return InvalidArgumentError("source ", source_name_, " has no fields");
    options_.batch_rows = std::clamp<std::size_t>(options_.batch_rows, 1, kBatchRowsMax);
    TimeZone zone;
    if (!time_zone.empty()) {
      LARDER_ASSIGN_OR_RETURN(zone, TimeZone::Load(time_zone));
    }
    for (const Field& field : fields_) {
      LARDER_ASSIGN_OR_RETURN(CellColumn column, CellColumn::Make(field, zone, &nulls_, &notes_));
      columns_.push_back(std::move(column));
    }
    cells_.resize(fields_.size());
    return absl::OkStatus();
  }
  absl::Status Start(std::vector<std::string> paths) {
    paths_ = std::move(paths);
    return OpenNextFile();
  }
  void StartText(std::string text, std::string origin) {
    UseFile(MakeTextSource(std::move(text), std::move(origin)));
  }

  std::span<const Field> fields() const override { return fields_; }
  const ReadCounts& counts() const override { return counts_; }
  std::string PlaceOf(std::size_t row) const override {
    return row < row_lines_.size() ? Concat(batch_file_, ":", row_lines_[row]) : batch_file_;
  }

  absl::StatusOr<bool> Next(Batch* out) override {
    *out = Batch();
    if (!failed_.ok()) return failed_;
    if (absl::Status read = ReadRows(); !read.ok()) {
      failed_ = read;
      return failed_;
    }
    if (row_lines_.empty()) return false;
    counts_.rows += static_cast<int64_t>(row_lines_.size());
    counts_.floored_timestamps = notes_.floored_timestamps;
    counts_.integral_decimals = notes_.integral_decimals;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      LARDER_RETURN_IF_ERROR(out->AddColumn(fields_[i].name, columns_[i].Take()));
    }
    return true;
  }

 private:
  absl::Status OpenNextFile() {
    LARDER_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> bytes,
                            OpenByteSource(paths_[next_path_++], compression_));
    UseFile(std::move(bytes));
    return absl::OkStatus();
  }
  void UseFile(std::unique_ptr<ByteSource> bytes) {
    lines_ = std::make_unique<LineReader>(std::move(bytes));
    ++counts_.files;
  }

  // A batch holds rows of one file.
  absl::Status ReadRows() {
    row_lines_.clear();
    for (;;) {
      batch_file_ = lines_->name();
      while (row_lines_.size() < options_.batch_rows) {
        std::string_view line;
        LARDER_ASSIGN_OR_RETURN(const bool more, lines_->Next(&line));
        if (!more) break;
        if (!TrimAscii(line).empty()) LARDER_RETURN_IF_ERROR(TakeLine(line));
      }
      if (!row_lines_.empty() || next_path_ >= paths_.size()) return absl::OkStatus();
      LARDER_RETURN_IF_ERROR(OpenNextFile());
    }
  }

  absl::Status TakeLine(std::string_view line) {
    bool repeated = false;
    bool too_deep = false;
    std::vector<std::string> names;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
      too_deep = too_deep || depth > kDepthMax;
      if (event == Json::parse_event_t::key && depth == 1) {
        const std::string& name = parsed.get_ref<const std::string&>();
        repeated = repeated || std::find(names.begin(), names.end(), name) != names.end();
        names.push_back(name);
      }
      return !too_deep;
    };
    const Json object = Json::parse(line, watch, /*allow_exceptions=*/false);
    if (too_deep) return BadRow(Concat("found values nested more than ", kDepthMax, " deep"));
    if (object.is_discarded()) return BadRow("found no valid JSON, expected one object");
    if (!object.is_object())
      return BadRow(Concat("found ", object.type_name(), ", expected one object"));
    if (repeated) return BadRow("found a name twice, expected each once");

    const TextNotes before = notes_;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const std::string& name = fields_[i].from.empty() ? fields_[i].name : fields_[i].from;
      const auto member = object.find(name);
      if (member == object.end() || member->is_null()) {
        columns_[i].PutNull();
      } else if (!PutMember(i, *member)) {
        notes_ = before;
        return BadRow(Concat("member ", name, ": found ", Shown(cells_[i], member->type_name()),
                             ", expected ", columns_[i].Expected()));
      }
    }
    for (CellColumn& column : columns_) column.Accept();
    row_lines_.push_back(lines_->line());
    return absl::OkStatus();
  }

  // Leaves the member's text in cells_[i], where it lives until the row is accepted.
  bool PutMember(std::size_t i, const Json& member) {
    std::string& cell = cells_[i];
    cell.clear();
    const TypeId type = fields_[i].type.id();
    if (member.is_string()) {
      cell = member.get_ref<const std::string&>();
      return columns_[i].Put(cell, /*quoted=*/true);
    }
    if (member.is_boolean()) {
      AppendTo(cell, member.get<bool>());
      return type == TypeId::kBool && columns_[i].Put(cell, true);
    }
    if (member.is_number_unsigned()) {
      AppendTo(cell, member.get<uint64_t>());
    } else if (member.is_number_integer()) {
      AppendTo(cell, member.get<int64_t>());
    } else if (member.is_number_float()) {
      AppendTo(cell, member.get<double>());
    } else {
      cell = member.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    const bool is_text = type == TypeId::kString || type == TypeId::kBytes;
    return !is_text && columns_[i].Put(cell, /*quoted=*/true);
  }

  [[nodiscard]] std::string Shown(const std::string& text, std::string_view kind) const {
    if (!options_.show_values) return Concat(kind, " (hidden)");
    constexpr std::size_t kShownMax = 80;
    return Concat(kind, " ",
                  text.size() > kShownMax ? "of " + std::to_string(text.size()) + " bytes" : text);
  }

  absl::Status BadRow(std::string_view why) {
    std::string reason = Concat(lines_->name(), ":", lines_->line(), ": ", why);
    if (strict_) return InvalidArgumentError(reason);
    counts_.AddBadRow(std::move(reason));
    return absl::OkStatus();
  }

  TextReadOptions options_;
  std::string source_name_;
  std::string compression_;
  std::vector<Field> fields_;
  NullTokens nulls_;
  bool strict_;
  TextNotes notes_;
  ReadCounts counts_;
  absl::Status failed_;
  std::vector<std::string> paths_;
  std::size_t next_path_ = 0;
  std::unique_ptr<LineReader> lines_;
  std::vector<CellColumn> columns_;
  std::vector<std::string> cells_;
  std::string batch_file_;
  std::vector<int64_t> row_lines_;
};

absl::StatusOr<std::unique_ptr<NdjsonReader>> Prepared(const Source& source,
                                                       const TextReadOptions& options) {
  auto reader = std::make_unique<NdjsonReader>(source, options);
  LARDER_RETURN_IF_ERROR(reader->Prepare(source.time_zone));
  return reader;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordReader>> OpenNdjson(const Source& source,
                                                         const TextReadOptions& options) {
  LARDER_ASSIGN_OR_RETURN(std::vector<std::string> paths,
                          ExpandPath(source.path, options.base_path));
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<NdjsonReader> reader, Prepared(source, options));
  LARDER_RETURN_IF_ERROR(reader->Start(std::move(paths)));
  return reader;
}

absl::StatusOr<std::unique_ptr<RecordReader>> OpenNdjsonText(std::string text, std::string origin,
                                                             const Source& source,
                                                             const TextReadOptions& options) {
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<NdjsonReader> reader, Prepared(source, options));
  reader->StartText(std::move(text), std::move(origin));
  return reader;
}

}  // namespace larder::inline LARDER_ABI
