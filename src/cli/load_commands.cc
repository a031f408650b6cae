// materialize and push.
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/event_file.h"
#include "cli/json_writer.h"
#include "cli/progress_line.h"
#include "cli/table.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

std::string InstantText(const std::optional<Timestamp>& instant, std::string_view none) {
  return instant ? FormatTimestamp(*instant) : std::string(none);
}

void PrintReasons(std::string_view what, int64_t count, const std::vector<std::string>& reasons,
                  Console& console) {
  if (count == 0) return;
  console.out << "skipped " << count << " rows of " << what << ":\n";
  for (const std::string& reason : reasons) console.out << "  " << Printable(reason) << '\n';
}

void WriteRows(const RowsResult& rows, JsonWriter& json) {
  json.Member("written", rows.written);
  json.Member("older", rows.older);
  json.Member("duplicate", rows.duplicate);
  json.Member("ambiguous", rows.ambiguous);
  json.Member("rejected", rows.rejected_count());
  json.Key("rejected_by");
  json.BeginObject(JsonWriter::Layout::kInline);
  for (std::size_t i = 0; i < kRowRejectionCount; ++i) {
    if (rows.rejected[i] > 0)
      json.Member(RowRejectionName(static_cast<RowRejection>(i)), rows.rejected[i]);
  }
  json.EndObject();
}

void WriteReasons(std::string_view key, const std::vector<std::string>& reasons, JsonWriter& json) {
  json.Key(key);
  json.BeginArray();
  for (const std::string& reason : reasons) json.String(reason);
  json.EndArray();
}

// `3 null key, 1 future`
std::string RejectionText(const RowsResult& rows) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < kRowRejectionCount; ++i) {
    if (rows.rejected[i] > 0)
      parts.push_back(Concat(rows.rejected[i], " ", RowRejectionName(static_cast<RowRejection>(i))));
  }
  return Join(parts, ", ");
}

void PrintAmbiguous(std::string_view view, const RowsResult& rows, Console& console) {
  if (rows.ambiguous == 0) return;
  console.out << view << ": " << rows.ambiguous
              << " rows tied with a different row of the same key and time; declare a sequence "
                 "to settle them\n";
}

void PrintLoadJson(const MaterializeResult& result, Console& console) {
  JsonWriter json;
  json.BeginObject();
  json.Member("commit_seq", result.commit_seq);
  json.Member("end_clamped", result.end_clamped);
  json.Key("views");
  json.BeginArray();
  for (const ViewLoad& load : result.views) {
    json.BeginObject();
    json.Member("view", load.view);
    json.Member("start", load.start);
    json.Member("end", load.end);
    json.Member("rows_read", load.rows_read);
    json.Member("rows_outside", load.rows_outside);
    json.Member("rows_bad", load.rows_bad);
    WriteRows(load.rows, json);
    json.Member("expressions_nulled", load.expressions_nulled);
    json.Member("floored_timestamps", load.floored_timestamps);
    json.Member("integral_decimals", load.integral_decimals);
    WriteReasons("first_reasons", load.first_reasons, json);
    json.EndObject();
  }
  json.EndArray();
  WriteReasons("skipped", result.skipped, json);
  WriteReasons("held", result.held, json);
  json.EndObject();
  console.out << std::move(json).Finish();
}

void PrintLoad(const MaterializeResult& result, Console& console) {
  Table table({"view", "read", "written", "older", "duplicate", "outside", "skipped", "from", "to"});
  for (const ViewLoad& load : result.views) {
    table.AddRow({load.view, Concat(load.rows_read), Concat(load.rows.written),
                  Concat(load.rows.older), Concat(load.rows.duplicate), Concat(load.rows_outside),
                  Concat(load.rows_bad + static_cast<int64_t>(load.rows.rejected_count())),
                  InstantText(load.start, "beginning"), FormatTimestamp(load.end)});
  }
  if (!table.empty()) console.out << table.ToText();
  for (const ViewLoad& load : result.views) {
    PrintReasons(load.view, load.rows_bad, load.first_reasons, console);
    if (load.rows.rejected_count() > 0) {
      console.out << "rejected rows of " << load.view << ": " << RejectionText(load.rows) << '\n';
    }
    PrintAmbiguous(load.view, load.rows, console);
    if (load.expressions_nulled > 0) {
      console.out << load.view << ": expressions gave null in " << load.expressions_nulled
                  << " rows (overflow, division by zero, bad cast, ...)\n";
    }
    if (load.floored_timestamps > 0) {
      console.out << load.view << ": " << load.floored_timestamps
                  << " times had digits finer than a microsecond\n";
    }
    if (load.integral_decimals > 0) {
      console.out << load.view << ": " << load.integral_decimals
                  << " integers were written with a decimal point\n";
    }
  }
  for (const std::string& skipped : result.skipped)
    console.out << "not loaded: " << Printable(skipped) << '\n';
  for (const std::string& held : result.held) {
    console.out << Printable(held) << " is on hold: its source was checked and nothing written\n";
  }
  if (result.end_clamped) console.out << "the end asked for is in the future; loaded up to now\n";
  if (result.views.empty()) {
    console.out << "nothing to load\n";
  } else {
    console.out << "loaded: commit " << result.commit_seq << '\n';
  }
}

void PrintPushJson(const PushResult& result, const std::vector<std::string>& reasons,
                   Console& console) {
  JsonWriter json;
  json.BeginObject();
  json.Member("commit_seq", result.commit_seq);
  json.Member("repeated", result.repeated);
  json.Member("rows", result.rows);
  json.Member("skipped", result.skipped);
  WriteReasons("first_reasons", reasons, json);
  json.Key("views");
  json.BeginArray();
  for (const PushResult::PerView& view : result.views) {
    json.BeginObject();
    json.Member("view", view.view);
    WriteRows(view.rows, json);
    json.EndObject();
  }
  json.EndArray();
  WriteReasons("not_fed", result.not_fed, json);
  json.EndObject();
  console.out << std::move(json).Finish();
}

void PrintPush(const PushResult& result, const std::vector<std::string>& reasons,
               std::string_view source, Console& console) {
  if (result.repeated) {
    console.out << "nothing done: this batch was pushed before, in commit " << result.commit_seq
                << '\n';
    return;
  }
  Table table({"view", "written", "older", "duplicate", "rejected"});
  for (const PushResult::PerView& view : result.views) {
    table.AddRow({view.view, Concat(view.rows.written), Concat(view.rows.older),
                  Concat(view.rows.duplicate), RejectionText(view.rows)});
  }
  if (!table.empty()) console.out << table.ToText();
  for (const PushResult::PerView& view : result.views)
    PrintAmbiguous(view.view, view.rows, console);
  PrintReasons(source, static_cast<int64_t>(result.skipped), reasons, console);
  for (const std::string& reason : result.not_fed)
    console.out << "an older version was not fed: " << Printable(reason) << '\n';
  console.out << "pushed " << result.rows << " rows: commit " << result.commit_seq << '\n';
}

}  // namespace

absl::Status Materialize(const MaterializeArguments& arguments, Console& console) {
  MaterializeOptions options;
  options.project = arguments.target.project;
  options.views = arguments.views;
  options.full = arguments.full;
  options.incremental = arguments.incremental;
  if (arguments.skip_bad) options.strict = false;
  LARDER_ASSIGN_OR_RETURN(options.start, ParseInstant(arguments.start, "--start"));
  LARDER_ASSIGN_OR_RETURN(options.end, ParseInstant(arguments.end, "--end"));
  if (options.start && options.end && *options.end < *options.start)
    return UsageError("--end is before --start");

  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, Access::kWrite, console));
  absl::StatusOr<MaterializeResult> result;
  {
    ProgressLine line(console);
    if (line.is_shown()) {
      options.progress = [&line](const LoadProgress& now) {
        line.Show(
            Concat(now.view, ": ", now.rows_read, " rows read, ", now.rows_written, " written"));
      };
    }
    result = store.Materialize(options);
  }
  if (!result.ok()) return result.status();
  if (arguments.format == Format::kJson) {
    PrintLoadJson(*result, console);
  } else {
    PrintLoad(*result, console);
  }
  return absl::OkStatus();
}

absl::Status Push(const PushArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, Access::kWrite, console));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const Source* source,
                          catalog.GetSource(arguments.target.project, arguments.source));
  LARDER_ASSIGN_OR_RETURN(
      const std::unique_ptr<RecordReader> reader,
      OpenEvents(arguments.file, arguments.ndjson, !arguments.skip_bad, *source));
  LARDER_ASSIGN_OR_RETURN(const Batch events, ReadAll(*reader));

  PushOptions options;
  options.project = arguments.target.project;
  options.batch_id = arguments.batch_id;
  options.skip_bad = arguments.skip_bad;
  LARDER_ASSIGN_OR_RETURN(PushResult result, store.Push(arguments.source, events, options));
  std::vector<std::string> reasons = reader->counts().first_reasons;
  reasons.insert(reasons.end(), result.first_reasons.begin(), result.first_reasons.end());
  result.skipped += static_cast<std::size_t>(reader->counts().bad_rows);
  if (arguments.format == Format::kJson) {
    PrintPushJson(result, reasons, console);
  } else {
    PrintPush(result, reasons, arguments.source, console);
  }
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
