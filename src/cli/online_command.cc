// get-online-features.
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json_writer.h"
#include "cli/online_rows.h"
#include "cli/table.h"
#include "larder/io/csv_writer.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

const Value* StaleValue(const FeatureValues& feature, std::size_t row) {
  const auto found = feature.stale_values.find(row);
  return found == feature.stale_values.end() ? nullptr : &found->second;
}

// What stands beside a value that is not simply PRESENT; empty otherwise.
std::string StatusText(const FeatureValues& feature, std::size_t row) {
  const FeatureStatus status = feature.statuses[row];
  const FeatureStatus inputs = feature.input_statuses[row];
  std::string text;
  if (status != FeatureStatus::kPresent) text = FeatureStatusName(status);
  if (const Value* stale = StaleValue(feature, row))
    text.append(Concat(", was ", FormatValue(*stale)));
  if (inputs != status)
    text.append(Concat(text.empty() ? "" : ", ", "inputs ", FeatureStatusName(inputs)));
  return text;
}

std::string CellText(const FeatureValues& feature, std::size_t row) {
  const Value value = feature.values.ValueAt(row);
  const std::string status = StatusText(feature, row);
  if (status.empty()) return FormatValue(value);
  if (value.is_null()) return status;
  return Concat(FormatValue(value), " (", status, ")");
}

std::string ReadFor(const OnlineResponse& response) {
  return Concat(response.service.empty() ? "" : Concat(response.service, "  "), "as of ",
                FormatTimestamp(response.as_of), "  commit ", response.commit_seq, "\nreceipt  ",
                response.receipt, "\n");
}

// One row reads best from top to bottom.
std::string OneRow(const OnlineResponse& response) {
  std::string out;
  Table keys({});
  for (std::size_t i = 0; i < response.keys.column_count(); ++i) {
    keys.AddRow({response.keys.name(i), FormatValue(response.keys.column(i).ValueAt(0))});
  }
  if (!keys.empty()) out.append(keys.ToText()).push_back('\n');
  Table table({"feature", "value", "status", "event time"});
  for (const FeatureValues& feature : response.features) {
    const Value value = feature.values.ValueAt(0);
    const Value time = feature.event_times.ValueAt(0);
    const std::string status = StatusText(feature, 0);
    table.AddRow({feature.name, value.is_null() ? "-" : FormatValue(value),
                  feature.statuses[0] == FeatureStatus::kPresent
                      ? Concat("PRESENT", status.empty() ? "" : ", ", status)
                      : status,
                  time.is_null() ? "-" : FormatValue(time)});
  }
  return out + table.ToText();
}

std::string ManyRows(const OnlineResponse& response) {
  std::vector<std::string> headers;
  for (const std::string& name : response.keys.names()) headers.push_back(name);
  for (const FeatureValues& feature : response.features) headers.push_back(feature.name);
  Table table(std::move(headers));
  for (std::size_t row = 0; row < response.row_count; ++row) {
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < response.keys.column_count(); ++i) {
      cells.push_back(FormatValue(response.keys.column(i).ValueAt(row)));
    }
    for (const FeatureValues& feature : response.features) cells.push_back(CellText(feature, row));
    table.AddRow(std::move(cells));
  }
  return table.ToText();
}

std::string AsJson(const OnlineResponse& response) {
  JsonWriter json;
  json.BeginObject();
  json.Member("as_of", response.as_of);
  json.Member("commit_seq", response.commit_seq);
  json.Member("receipt", response.receipt);
  json.Member("cells_refused", response.cells_refused);
  json.Key("rows");
  json.BeginArray();
  for (std::size_t row = 0; row < response.row_count; ++row) {
    json.BeginObject();
    json.Key("keys");
    json.BeginObject(JsonWriter::Layout::kInline);
    for (std::size_t i = 0; i < response.keys.column_count(); ++i) {
      json.Member(response.keys.name(i), response.keys.column(i).ValueAt(row));
    }
    json.EndObject();
    json.Key("features");
    json.BeginObject();
    for (const FeatureValues& feature : response.features) {
      json.Key(feature.name);
      json.BeginObject(JsonWriter::Layout::kInline);
      json.Member("value", feature.values.ValueAt(row));
      json.Member("status", FeatureStatusName(feature.statuses[row]));
      json.Member("event_time", feature.event_times.ValueAt(row));
      if (const Value* stale = StaleValue(feature, row)) json.Member("stale_value", *stale);
      if (feature.input_statuses[row] != feature.statuses[row]) {
        json.Member("input_status", FeatureStatusName(feature.input_statuses[row]));
      }
      json.EndObject();
    }
    json.EndObject();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return std::move(json).Finish();
}

absl::StatusOr<std::string> AsCsv(const OnlineResponse& response) {
  Batch rows = response.keys;
  for (const FeatureValues& feature : response.features) {
    LARDER_RETURN_IF_ERROR(rows.AddColumn(feature.name, feature.values));
  }
  std::vector<Field> fields;
  for (std::size_t i = 0; i < rows.column_count(); ++i) {
    Field field;
    field.name = rows.name(i);
    field.type = rows.column(i).type();
    fields.push_back(std::move(field));
  }
  std::string out;
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer, WriteCsvText(&out, fields));
  LARDER_RETURN_IF_ERROR(writer->Write(rows));
  LARDER_RETURN_IF_ERROR(writer->Finish());
  return out;
}

}  // namespace

absl::Status GetOnlineFeatures(const OnlineArguments& arguments, Console& console) {
  if (arguments.service.empty() == arguments.features.empty())
    return UsageError("give either --service or --feature");
  if (arguments.full_feature_names && arguments.features.empty()) {
    return UsageError(
        "--full-feature-names goes with --feature; a service says itself how its outputs are "
        "named");
  }
  OnlineRequest request;
  request.what.project = arguments.target.project;
  request.what.service = arguments.service;
  request.what.features = arguments.features;
  request.what.full_feature_names = arguments.full_feature_names;
  request.ignore_unknown_columns = arguments.ignore_unknown;
  LARDER_ASSIGN_OR_RETURN(request.as_of, ParseInstant(arguments.as_of, "--as-of"));
  LARDER_ASSIGN_OR_RETURN(request.known_at, ParseInstant(arguments.known_at, "--known-at"));
  if (arguments.rows_file.empty()) {
    LARDER_ASSIGN_OR_RETURN(request.rows, RowsFromOptions(arguments.keys, arguments.request));
  } else {
    LARDER_ASSIGN_OR_RETURN(request.rows, RowsFromFile(arguments.rows_file));
  }

  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(const OnlineResponse response, store.GetOnlineFeatures(request));
  if (arguments.format == Format::kJson) {
    console.out << AsJson(response);
  } else if (arguments.format == Format::kCsv) {
    LARDER_ASSIGN_OR_RETURN(const std::string csv, AsCsv(response));
    console.out << (console.out_is_terminal ? Printable(csv, true) : csv);
  } else {
    console.out << (response.row_count == 1 ? OneRow(response) : ManyRows(response)) << '\n'
                << Printable(ReadFor(response), true);
  }
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
