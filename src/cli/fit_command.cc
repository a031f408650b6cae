// fit: constants for zscore, minmax, bucketize and the like, from a training set.
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json_writer.h"
#include "cli/table.h"
#include "larder/io/infer.h"
#include "larder/io/source_reader.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

// One column of a CSV file, whole.
absl::StatusOr<Column> ReadColumn(const FitArguments& arguments) {
  InferOptions all;
  all.rows_max = 0;
  LARDER_ASSIGN_OR_RETURN(Source source, InferSource(AbsolutePath(arguments.file), all));
  std::vector<std::string> names;
  const Field* found = nullptr;
  for (const Field& field : source.fields) {
    names.push_back(field.from.empty() ? field.name : field.from);
    if (names.back() == arguments.column) found = &field;
  }
  if (found == nullptr) {
    return NotFoundError(arguments.file, " has no column ", Quoted(arguments.column),
                         DidYouMean(arguments.column, names));
  }
  const Field field = *found;
  source.fields = {field};
  source.event_time.clear();
  if (!arguments.type.empty()) {
    absl::StatusOr<DataType> type = DataType::Parse(arguments.type);
    if (!type.ok()) return Annotate(type.status(), "--type");
    source.fields[0].type = *type;
  }
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> reader, OpenSource(source));
  Column column(source.fields[0].type);
  Batch batch;
  while (true) {
    LARDER_ASSIGN_OR_RETURN(const bool more, reader->Next(&batch));
    if (!more) return column;
    for (std::size_t row = 0; row < batch.row_count(); ++row)
      column.AppendFrom(batch.column(0), row);
  }
}

void WriteEntry(const FittedEntry& entry, JsonWriter& json) {
  const FittedValues& values = entry.values;
  json.Member("name", entry.name);
  json.Member("version", entry.version);
  json.Member("hash", ToHex(entry.hash));
  json.Member("count", values.count);
  if (values.vocabulary.empty()) {
    json.Member("mean", values.mean);
    json.Member("deviation", values.deviation);
    json.Member("minimum", values.minimum);
    json.Member("maximum", values.maximum);
    json.Key("boundaries");
    json.BeginArray(JsonWriter::Layout::kInline);
    for (const double boundary : values.boundaries) json.Number(boundary);
  } else {
    json.Key("vocabulary");
    json.BeginArray(JsonWriter::Layout::kInline);
    for (const std::string& word : values.vocabulary) json.String(word);
  }
  json.EndArray();
}

void AddRow(const FittedEntry& entry, Table& table) {
  const FittedValues& values = entry.values;
  const bool words = !values.vocabulary.empty();
  const auto number = [&](double x) { return words ? std::string() : FormatValue(Value(x)); };
  table.AddRow({Concat(entry.name, "@", entry.version), Concat(values.count), number(values.mean),
                number(values.deviation), number(values.minimum), number(values.maximum),
                words ? "" : Concat(values.boundaries.size()),
                words ? Concat(values.vocabulary.size()) : ""});
}

Table EntryTable() {
  return Table(
      {"fitted", "values", "mean", "deviation", "minimum", "maximum", "boundaries", "words"});
}

absl::Status ListAll(const FitArguments& arguments, Console& console) {
  if (!arguments.file.empty() || !arguments.column.empty())
    return UsageError("fit: say which name: larder fit NAME --from FILE --column COLUMN");
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(const std::vector<FittedEntry> entries, store.Fitted());
  if (arguments.format == Format::kJson) {
    JsonWriter json;
    json.BeginArray();
    for (const FittedEntry& entry : entries) {
      json.BeginObject();
      WriteEntry(entry, json);
      json.EndObject();
    }
    json.EndArray();
    console.out << std::move(json).Finish();
    return absl::OkStatus();
  }
  if (entries.empty()) {
    console.out << "nothing is fitted yet: larder fit NAME --from FILE --column COLUMN\n";
    return absl::OkStatus();
  }
  Table table = EntryTable();
  for (const FittedEntry& entry : entries) AddRow(entry, table);
  console.out << table.ToText();
  return absl::OkStatus();
}

}  // namespace

absl::Status Fit(const FitArguments& arguments, Console& console) {
  if (arguments.name.empty()) return ListAll(arguments, console);
  if (arguments.file.empty() || arguments.column.empty())
    return UsageError("fit ", arguments.name,
                      ": --from FILE and --column COLUMN say what to fit on");
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, Access::kWrite, console));
  LARDER_ASSIGN_OR_RETURN(const Column column, ReadColumn(arguments));
  FitOptions options;
  options.buckets = arguments.buckets;
  options.vocabulary = arguments.vocabulary;
  LARDER_ASSIGN_OR_RETURN(const FitResult result, store.Fit(arguments.name, column, options,
                                                            MakeInfo(arguments.note, console)));
  if (arguments.format == Format::kJson) {
    JsonWriter json;
    json.BeginObject();
    WriteEntry(result.entry, json);
    json.Member("new", result.fresh);
    json.EndObject();
    console.out << std::move(json).Finish();
    return absl::OkStatus();
  }
  Table table = EntryTable();
  AddRow(result.entry, table);
  console.out << table.ToText();
  const std::string reference = Concat(result.entry.name, "@", result.entry.version);
  if (!result.fresh) {
    console.out << "the same values as before: " << reference << " stays the latest\n";
  } else if (result.entry.version > 1) {
    console.out << "definitions keep the version they were applied with: write " << reference
                << " to use this one\n";
  }
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
