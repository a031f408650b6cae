#include "larder/io/infer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "io/byte_source.h"
#include "io/csv_tokenizer.h"
#include "larder/base/text.h"
#include "larder/base/time.h"
#include "larder/io/csv_reader.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::array<std::string_view, 8> kKnownNulls = {"NA",   "N/A", "NULL", "null",
                                                         "None", "NaN", "nan",  "\\N"};
constexpr std::array<char, 4> kDelimiters = {',', '\t', ';', '|'};
constexpr int kSniffedRecords = 100;

enum Kind : unsigned { kBool = 1, kInteger = 2, kNumber = 4, kDate = 8, kTime = 16, kAll = 31 };

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The kinds `text` may be, as bits; 0: only a string.
unsigned KindsOf(std::string_view text) {
  if (EqualsIgnoreCase(text, "true") || EqualsIgnoreCase(text, "false")) return kBool;
  const std::size_t first = text[0] == '-' ? 1 : 0;
  if (first >= text.size() || !(IsDigit(text[first]) || text[first] == '.')) return 0;
  if (text.size() > first + 1 && text[first] == '0' && IsDigit(text[first + 1])) {
    // A year such as 0012-01-01 begins so too; a code such as 00501 stays text.
    if (ParseDate(text).ok()) return kDate | kTime;
    return ParseTimestamp(text).ok() ? kTime : 0U;
  }
  const bool plain =
      std::all_of(text.begin() + static_cast<std::ptrdiff_t>(first), text.end(), IsDigit);
  if (plain) return ParseValue(text, TypeId::kInt64).ok() ? kInteger | kNumber : 0U;
  if (ParseValue(text, TypeId::kFloat64).ok()) return kNumber;
  if (ParseDate(text).ok()) return kDate | kTime;
  return ParseTimestamp(text).ok() ? kTime : 0U;
}

// What the cells of one column have been, with and without the words that may mean null.
struct ColumnGuess {
  unsigned kinds = kAll;
  bool any = false;
  std::set<std::string_view> null_words;

  void See(std::string_view text) {
    if (text.empty()) return;
    const auto* word = std::find(kKnownNulls.begin(), kKnownNulls.end(), text);
    if (word != kKnownNulls.end()) {
      null_words.insert(*word);
      return;
    }
    any = true;
    if (kinds != 0) kinds &= KindsOf(text);
  }
  [[nodiscard]] bool is_text() const { return !any || kinds == 0; }
  [[nodiscard]] TypeId type() const {
    if (is_text()) return TypeId::kString;
    if ((kinds & kBool) != 0) return TypeId::kBool;
    if ((kinds & kInteger) != 0) return TypeId::kInt64;
    if ((kinds & kNumber) != 0) return TypeId::kFloat64;
    return (kinds & kDate) != 0 ? TypeId::kDate : TypeId::kTimestamp;
  }
};

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

std::string NameFrom(std::string_view text, std::size_t number, std::set<std::string>* taken) {
  std::string name;
  for (const char c : text) {
    const bool fits = IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (fits) {
      name.push_back(c);
    } else if (!name.empty() && name.back() != '_') {
      name.push_back('_');
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  if (name.empty()) name = Concat("column_", number);
  if (IsDigit(name[0])) name.insert(0, "_");
  if (name.size() > 55) name.resize(55);
  std::string unique = name;
  for (int i = 2; !taken->insert(unique).second; ++i) unique = Concat(name, "_", i);
  return unique;
}

std::string SourceNameOf(const std::string& path) {
  std::string_view name = path;
  if (const std::size_t slash = name.rfind('/'); slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  if (const std::size_t dot = name.find('.'); dot != std::string_view::npos && dot > 0)
    name = name.substr(0, dot);
  std::set<std::string> taken;
  const std::string made = NameFrom(name, 0, &taken);
  return made == "column_0" ? "source" : made;
}

}  // namespace

absl::StatusOr<Source> InferSource(const std::string& path, const InferOptions& options) {
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
  std::set<std::string> taken;
  std::set<std::string_view> null_words;
  std::vector<std::string> times;
  // Names that need no change keep it, whatever stands before them.
  for (const std::string& header : headers) {
    if (IsValidName(header)) taken.insert(header);
  }
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (headers[i].empty()) continue;
    Field field;
    field.type = guesses[i].type();
    if (IsValidName(headers[i])) {
      field.name = headers[i];
    } else {
      field.name = NameFrom(headers[i], i + 1, &taken);
      field.from = headers[i];
    }
    if (field.type.id() == TypeId::kTimestamp) times.push_back(field.name);
    for (const std::string_view word : guesses[i].null_words) {
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

}  // namespace larder::inline LARDER_ABI
