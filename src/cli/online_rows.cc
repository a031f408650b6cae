#include "cli/online_rows.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "cli/arguments.h"
#include "larder/io/csv_reader.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

struct NamedTexts {
  std::string name;
  std::vector<std::string> texts;
};

absl::Status Collect(const std::vector<std::string>& assignments, std::string_view option,
                     std::vector<NamedTexts>* columns) {
  for (const std::string& text : assignments) {
    LARDER_ASSIGN_OR_RETURN(auto assignment, SplitAssignment(text, option));
    const auto same = std::find_if(columns->begin(), columns->end(), [&](const NamedTexts& column) {
      return column.name == assignment.first;
    });
    if (same != columns->end()) {
      same->texts.push_back(std::move(assignment.second));
    } else {
      columns->push_back({std::move(assignment.first), {std::move(assignment.second)}});
    }
  }
  return absl::OkStatus();
}

// The names in the first line, which may be quoted.
std::vector<std::string> HeaderNames(std::string_view text) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  std::vector<std::string> names(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      const bool escaped = quoted && i + 1 < text.size() && text[i + 1] == '"';
      if (escaped) {
        names.back().push_back('"');
        ++i;
      } else {
        quoted = !quoted;
      }
    } else if (quoted) {
      names.back().push_back(c);
    } else if (c == ',') {
      names.emplace_back();
    } else if (c == '\n') {
      break;
    } else if (c != '\r') {
      names.back().push_back(c);
    }
  }
  return names;
}

}  // namespace

absl::StatusOr<std::vector<Row>> RowsFromOptions(const std::vector<std::string>& keys,
                                                 const std::vector<std::string>& request) {
  std::vector<NamedTexts> columns;
  LARDER_RETURN_IF_ERROR(Collect(keys, "--key", &columns));
  LARDER_RETURN_IF_ERROR(Collect(request, "--request", &columns));
  std::size_t rows = 1;
  for (const NamedTexts& column : columns) rows = std::max(rows, column.texts.size());
  std::vector<Row> result(rows);
  for (const NamedTexts& column : columns) {
    if (column.texts.size() != 1 && column.texts.size() != rows) {
      return UsageError(column.name, " is given ", column.texts.size(), " times and another name ",
                        rows, " times: give each once, or once for every row");
    }
    for (std::size_t r = 0; r < rows; ++r) {
      result[r].emplace_back(column.name, Value(column.texts[column.texts.size() == 1 ? 0 : r]));
    }
  }
  return result;
}

absl::StatusOr<std::vector<Row>> RowsFromFile(const std::string& path) {
  LARDER_ASSIGN_OR_RETURN(std::string text, ReadText(path));
  const std::string origin = path == "-" ? "standard input" : path;
  Source source;
  source.name = "rows";
  for (std::string& name : HeaderNames(text)) {
    Field field;
    field.name = std::move(name);
    field.type = TypeId::kString;
    source.fields.push_back(std::move(field));
  }
  TextReadOptions options;
  options.show_values = true;
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> reader,
                          OpenCsvText(std::move(text), origin, source, options));
  LARDER_ASSIGN_OR_RETURN(const Batch batch, ReadAll(*reader));
  std::vector<Row> rows;
  rows.reserve(batch.row_count());
  for (std::size_t i = 0; i < batch.row_count(); ++i) rows.push_back(batch.RowAt(i));
  return rows;
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
