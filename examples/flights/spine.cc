#include "examples/flights/spine.h"

#include "larder/io/csv_reader.h"

namespace flights {

using larder::Batch;
using larder::Column;
using larder::Timestamp;
using larder::TypeId;

absl::StatusOr<Batch> MakeSpine(const std::string& data, AskAt ask_at) {
  larder::Source file;
  file.name = "flights";
  file.path = "flights.csv.gz";
  const std::pair<const char*, TypeId> fields[] = {
      {"flight_id", TypeId::kString},  {"origin", TypeId::kString},
      {"carrier", TypeId::kString},    {"dest", TypeId::kString},
      {"distance", TypeId::kFloat64},  {"sched_dep_utc", TypeId::kTimestamp},
      {"arr_utc", TypeId::kTimestamp}, {"arr_delay", TypeId::kFloat64}};
  for (const auto& [name, type] : fields) file.fields.push_back({name, type, "", ""});
  larder::TextReadOptions options;
  options.base_path = data;
  LARDER_ASSIGN_OR_RETURN(const auto reader, larder::OpenCsv(file, options));
  LARDER_ASSIGN_OR_RETURN(const Batch all, ReadAll(*reader));

  const Column& scheduled = *all.Find("sched_dep_utc");
  const Column& arrived = *all.Find("arr_utc");
  const Column& delay = *all.Find("arr_delay");
  Column ask_times(TypeId::kTimestamp);
  Column labels(TypeId::kBool);
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < all.row_count(); ++row) {
    Timestamp ask = Timestamp{scheduled.Values<int64_t>()[row]}.Minus(larder::Duration::Hours(2));
    if (ask_at == AskAt::kArrival) {
      if (!arrived.IsValid(row)) continue;
      ask = Timestamp{arrived.Values<int64_t>()[row]};
    }
    kept.push_back(row);
    ask_times.AppendFixed(ask.us);
    if (delay.IsValid(row)) {
      labels.AppendFixed<uint8_t>(delay.Values<double>()[row] > 15);
    } else {
      labels.AppendNull();
    }
  }

  Batch spine;
  for (const char* name : {"flight_id", "origin", "carrier", "dest", "distance", "sched_dep_utc"}) {
    Column column(all.Find(name)->type());
    for (const std::size_t row : kept) column.AppendFrom(*all.Find(name), row);
    LARDER_RETURN_IF_ERROR(spine.AddColumn(name, std::move(column)));
  }
  LARDER_RETURN_IF_ERROR(spine.AddColumn("ask_at", std::move(ask_times)));
  LARDER_RETURN_IF_ERROR(spine.AddColumn("arrived_late", std::move(labels)));
  return spine;
}

absl::StatusOr<Batch> TakeRows(const Batch& spine, std::span<const std::size_t> indices,
                               const Timestamp* time) {
  Batch taken;
  for (std::size_t i = 0; i < spine.column_count(); ++i) {
    Column column(spine.column(i).type());
    for (const std::size_t row : indices) {
      if (time != nullptr && spine.name(i) == "ask_at") {
        column.AppendFixed(time->us);
      } else {
        column.AppendFrom(spine.column(i), row);
      }
    }
    LARDER_RETURN_IF_ERROR(taken.AddColumn(spine.name(i), std::move(column)));
  }
  return taken;
}

std::span<const int64_t> AskTimes(const Batch& spine) {
  return spine.Find("ask_at")->Values<int64_t>();
}

}  // namespace flights
