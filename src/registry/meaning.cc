#include "registry/meaning.h"

#include <algorithm>
#include <set>

namespace larder::inline LARDER_ABI {
namespace {

void PutFields(std::vector<Field> fields, BinaryWriter* out) {
  std::sort(fields.begin(), fields.end(),
            [](const Field& a, const Field& b) { return a.name < b.name; });
  for (Field& field : fields) {
    if (field.from.empty()) field.from = field.name;
  }
  out->Put(fields);
}

// Files of every format hold the same rows; a push stream or a query does not.
std::string KindClass(SourceKind kind) {
  switch (kind) {
    case SourceKind::kPush:
      return "push";
    case SourceKind::kSql:
      return "sql";
    case SourceKind::kView:
      return "view";
    default:
      return "file";
  }
}

// `source` holds only the fields that are read, so a field added to the data changes nothing here.
void PutSource(const Source& source, BinaryWriter* out) {
  out->PutText("source");
  out->Put(source.name);
  out->Put(KindClass(source.kind));
  out->Put(source.query);
  out->Put(source.view);
  out->Put(source.batch_source);
  PutFields(source.fields, out);
  for (const std::string* column : {&source.event_time, &source.arrival_time, &source.sequence,
                                    &source.event_id, &source.operation, &source.valid_to}) {
    out->Put(*column);
  }
  out->Put(source.time_zone.empty() ? std::string("UTC") : source.time_zone);
  out->Put(source.order.value_or(SourceOrder::kNone));
  out->Put(source.available_after.value_or(Duration{}));
  out->Put(source.max_future.value_or(kMaxFutureDefault));
  std::vector<std::string> nulls = source.format.null_values;
  std::sort(nulls.begin(), nulls.end());
  out->Put(nulls);
}

void PutSources(const ViewVersion& view, BinaryWriter* out) {
  PutSource(view.source, out);
  out->Put(view.batch.has_value());
  if (view.batch) PutSource(*view.batch, out);
  for (const Source& source : view.union_sources) PutSource(source, out);
}

void PutAggregate(const AggregateColumn& column, const std::string& canonical, BinaryWriter* out) {
  AggregateColumn plain = column;
  plain.input.clear();
  plain.where.clear();
  out->Put(plain);
  out->Put(canonical);
}

}  // namespace

void HashView(const ViewMeaning& meaning, ViewVersion* view) {
  BinaryWriter data;
  data.PutText("data 1");
  data.Put(view->project);
  data.Put(view->name);
  data.Put(view->keys);
  PutSources(*view, &data);
  data.Put(view->definition.partial_updates);
  data.Put(meaning.base_data);
  for (std::size_t i = 0; i < view->stored.size(); ++i) {
    const StoredColumn& column = view->stored[i];
    data.Put(column.name);
    data.Put(column.type);
    data.Put(column.field);
    data.Put(meaning.stored[i]);
  }
  if (view->is_aggregate()) {
    // Names do not matter to the state kept, nor does the order of the list.
    std::set<std::string> columns;
    for (std::size_t i = 0; i < view->features.size(); ++i) {
      BinaryWriter column;
      PutAggregate(*view->features[i].aggregate, meaning.aggregates[i], &column);
      columns.insert(std::move(column).Take());
    }
    for (const std::string& column : columns) data.Put(column);
  }
  view->data_hash = HashWide(std::move(data).Take());

  BinaryWriter out;
  // The name counts: two views of one meaning have rows of their own, and what reads one does not read the other.
  out.PutText("view 1");
  out.Put(view->project);
  out.Put(view->name);
  out.Put(view->keys);
  PutSources(*view, &out);
  const int64_t ttl = view->definition.ttl.value_or(Duration{}).us;
  out.Put(ttl);
  out.Put(view->boundary);
  out.Put(view->definition.exclude_self);
  out.Put(view->definition.partial_updates);
  out.Put(meaning.validators);
  out.Put(meaning.base_meaning);
  for (std::size_t i = 0; i < view->features.size(); ++i) {
    const FeatureColumn& feature = view->features[i];
    out.Put(feature.name);
    out.Put(feature.type);
    out.Put(feature.on_read);
    out.Put(feature.default_value);
    if (feature.aggregate) {
      PutAggregate(*feature.aggregate, meaning.aggregates[i], &out);
    } else {
      out.Put(meaning.features[i]);
    }
  }
  view->meaning_hash = HashWide(std::move(out).Take());
}

void HashOnDemand(const OnDemandMeaning& meaning, OnDemandVersion* view) {
  BinaryWriter out;
  out.PutText("on demand 1");
  out.Put(view->project);
  out.Put(view->name);
  for (std::size_t i = 0; i < view->inputs.size(); ++i) {
    const OnDemandInput& input = view->inputs[i];
    out.Put(input.name);
    out.Put(input.type);
    out.Put(input.request);
    out.Put(meaning.inputs[i].first);
    out.Put(meaning.inputs[i].second);
  }
  for (std::size_t i = 0; i < view->features.size(); ++i) {
    const FeatureColumn& feature = view->features[i];
    out.Put(feature.name);
    out.Put(feature.type);
    out.Put(feature.default_value);
    out.Put(meaning.features[i]);
  }
  view->meaning_hash = HashWide(std::move(out).Take());
}

void HashService(std::span<const Hash128> views, std::span<const Hash128> on_demand,
                 ServiceVersion* service) {
  BinaryWriter out;
  out.PutText("service 1");
  out.Put(service->definition.dtype.value_or(TypeId::kFloat64));
  out.Put(service->definition.missing);
  out.Put(service->definition.partial);
  out.Put(service->outputs);
  for (std::size_t i = 0; i < views.size(); ++i) {
    out.Put(views[i]);
    out.Put(service->views[i].keys);
  }
  for (std::size_t i = 0; i < on_demand.size(); ++i) {
    out.Put(on_demand[i]);
    out.Put(service->on_demand[i].input_uses);
  }
  out.Put(service->keys);
  out.Put(service->request);
  service->meaning_hash = HashWide(std::move(out).Take());
}

void HashLabel(const Hash128& view, std::string_view canonical, LabelVersion* label) {
  BinaryWriter out;
  out.PutText("label 1");
  out.Put(view);
  out.Put(label->feature);
  if (label->aggregate) PutAggregate(*label->aggregate, std::string(canonical), &out);
  out.Put(label->definition.from);
  out.Put(label->definition.to);
  label->meaning_hash = HashWide(std::move(out).Take());
}

}  // namespace larder::inline LARDER_ABI
