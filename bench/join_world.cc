#include "join_world.h"

#include <random>
#include <string>
#include <utility>

#include "larder/base/text.h"

namespace larder_bench {
namespace {

using larder::Batch;
using larder::Column;
using larder::Concat;
using larder::JoinedView;
using larder::JoinView;
using larder::PointInTimeJoin;
using larder::TypeId;

constexpr int64_t kEntities = 100'000;
constexpr int64_t kSpanMicros = int64_t{365} * 86'400 * 1'000'000;

Column Uniform(TypeId type, std::size_t rows, int64_t below, std::mt19937_64* random) {
  Column column(type);
  column.Reserve(rows);
  for (std::size_t i = 0; i < rows; ++i)
    column.AppendFixed(static_cast<int64_t>((*random)() % static_cast<uint64_t>(below)));
  return column;
}

}  // namespace

absl::StatusOr<Batch> MakeJoinEvents(std::size_t rows) {
  std::mt19937_64 random(7);
  Batch events;
  LARDER_RETURN_IF_ERROR(
      events.AddColumn("entity", Uniform(TypeId::kInt64, rows, kEntities, &random)));
  LARDER_RETURN_IF_ERROR(
      events.AddColumn("at", Uniform(TypeId::kTimestamp, rows, kSpanMicros, &random)));
  for (int f = 0; f < kJoinFeatures; ++f) {
    Column column(TypeId::kFloat64);
    column.Reserve(rows);
    for (std::size_t i = 0; i < rows; ++i)
      column.AppendFixed(static_cast<double>(random() >> 11) * 0x1p-53);
    LARDER_RETURN_IF_ERROR(events.AddColumn(Concat("f", f), std::move(column)));
  }
  return events;
}

absl::StatusOr<Batch> MakeJoinSpine() {
  std::mt19937_64 random(11);
  Batch spine;
  Column id(TypeId::kInt64);
  for (std::size_t i = 0; i < kJoinSpineRows; ++i) id.AppendFixed(static_cast<int64_t>(i));
  LARDER_RETURN_IF_ERROR(spine.AddColumn("id", std::move(id)));
  LARDER_RETURN_IF_ERROR(
      spine.AddColumn("entity", Uniform(TypeId::kInt64, kJoinSpineRows, kEntities, &random)));
  LARDER_RETURN_IF_ERROR(
      spine.AddColumn("at", Uniform(TypeId::kTimestamp, kJoinSpineRows, kSpanMicros, &random)));
  return spine;
}

JoinEvents::JoinEvents(const Batch& events) : batch_(&events), keys_({&events.column(0)}) {
  for (std::size_t f = 0; f < kJoinFeatures; ++f) features_.push_back(&events.column(2 + f));
}

larder::EventBatch JoinEvents::Take() const {
  larder::EventBatch out;
  out.row_count = batch_->row_count();
  out.keys = keys_;
  out.features = features_;
  out.event_time = &batch_->column(1);
  return out;
}

JoinView MakeJoinView(const Batch& spine, std::optional<larder::Duration> ttl) {
  JoinView view;
  view.name = "events";
  view.spine_keys = {&spine.column(1)};
  view.key_types = {TypeId::kInt64};
  for (int f = 0; f < kJoinFeatures; ++f) {
    larder::Field field;
    field.name = Concat("f", f);
    field.type = TypeId::kFloat64;
    view.features.push_back(field);
  }
  view.ttl = ttl;
  return view;
}

absl::StatusOr<std::vector<JoinedView>> JoinOnce(const Batch& spine, const JoinEvents& events,
                                                 int views, std::optional<larder::Duration> ttl) {
  std::vector<JoinView> wanted;
  for (int v = 0; v < views; ++v) wanted.push_back(MakeJoinView(spine, ttl));
  larder::JoinOptions options;
  options.thread_count = kJoinThreads;
  LARDER_ASSIGN_OR_RETURN(PointInTimeJoin join,
                          PointInTimeJoin::Make(spine.column(2), std::move(wanted), options));
  for (int v = 0; v < views; ++v)
    LARDER_RETURN_IF_ERROR(join.Add(static_cast<std::size_t>(v), events.Take()));
  return std::move(join).Finish();
}

}  // namespace larder_bench
