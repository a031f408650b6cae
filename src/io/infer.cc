#include "larder/io/infer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "io/byte_source.h"
#include "io/column_guess.h"
#include "io/csv_tokenizer.h"
#include "io/field_names.h"
#include "io/infer_ndjson.h"
#include "larder/base/text.h"
#include "larder/io/csv_reader.h"
#include "larder/io/duckdb_reader.h"
#include "larder/io/source_reader.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::array<char, 4> kDelimiters = {',', '\t', ';', '|'};
constexpr int kSniffedRecords = 100;

absl::StatusOr<char> SniffDelimiter(const std::string& path) {
  char best = ',';
  std::size_t best_fields = 1;
  for (const char delimiter : kDelimiters) {
    LARDER_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> bytes, OpenByteSource(path, "auto"));
    CsvTokenizer tokens(std::move(bytes), delimiter);
    std::size_t fields = 0;
    bool alike = true;
    for (int i = 0; i < kSniffedRecords && alike; ++i) {
      const auto more = tokens.Next();
      if (!more.ok()) {
        // A record no delimiter can make sense of is reported by the reading that follows.
        if (more.status().code() != absl::StatusCode::kInvalidArgument) return more.status();
        alike = false;
        break;
      }
      if (!*more) break;
      if (tokens.is_blank()) continue;
      if (fields == 0) fields = tokens.fields().size();
      alike = fields == tokens.fields().size() && !tokens.is_malformed();
    }
    if (alike && fields > best_fields) {
      best = delimiter;
      best_fields = fields;
    }
  }
  return best;
}

absl::StatusOr<Source> InferCsv(const std::string& path, const InferOptions& options) {
  LARDER_ASSIGN_OR_RETURN(const std::vector<std::string> paths, ExpandPath(path, options.base_path));
  LARDER_ASSIGN_OR_RETURN(const char delimiter, SniffDelimiter(paths[0]));
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> bytes, OpenByteSource(paths[0], "auto"));
  CsvTokenizer tokens(std::move(bytes), delimiter);

  bool more = false;
  do {
    LARDER_ASSIGN_OR_RETURN(more, tokens.Next());
  } while (more && tokens.is_blank());
  if (!more)
    return InvalidArgumentError(paths[0], ": found no header, expected a line of column names");
  std::vector<std::string> headers;
  for (const RawField& field : tokens.fields()) headers.emplace_back(field.text());

  std::vector<ColumnGuess> guesses(headers.size());
  for (std::size_t rows = 0; options.rows_max == 0 || rows < options.rows_max; ++rows) {
    LARDER_ASSIGN_OR_RETURN(more, tokens.Next());
    if (!more) break;
    if (tokens.fields().size() != headers.size()) continue;  // the reader will say so
    for (std::size_t i = 0; i < headers.size(); ++i)
      guesses[i].See(TrimAscii(tokens.fields()[i].text()));
  }

  Source source;
  source.name = SourceNameOf(path);
  source.path = path;
  source.format.delimiter = std::string(1, delimiter);
  std::set<std::string_view> null_words;
  std::vector<std::string> times;
  FieldNamer namer;
  for (const std::string& header : headers) namer.Reserve(header);
  for (std::size_t i = 0; i < headers.size(); ++i) {
    Field field = namer.MakeField(headers[i], guesses[i].type());
    if (headers[i].empty()) continue;
    if (field.type.id() == TypeId::kTimestamp) times.push_back(field.name);
    for (const std::string_view word : guesses[i].null_words()) {
      const bool is_number = field.type.is_float() && EqualsIgnoreCase(word, "nan");
      if (!guesses[i].is_text() && !is_number) null_words.insert(word);
    }
    source.fields.push_back(std::move(field));
  }
  for (const std::string_view word : null_words) source.format.null_values.emplace_back(word);
  if (times.size() == 1) source.event_time = times[0];
  if (source.fields.empty()) return InvalidArgumentError(paths[0], ": the header names no column");
  return source;
}

}  // namespace

absl::StatusOr<Source> InferSource(const std::string& path, const InferOptions& options) {
  const SourceKind kind = KindOfFile(path);
  if (kind == SourceKind::kParquet) return InferParquet(path, options.base_path);
  if (kind == SourceKind::kNdjson) return InferNdjson(path, options);
  return InferCsv(path, options);
}

}  // namespace larder::inline LARDER_ABI
