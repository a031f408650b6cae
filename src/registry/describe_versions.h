// The members of resolved versions and history entries, for the binary visitors.
#pragma once

#include "larder/base/config.h"
#include "larder/registry/history.h"
#include "larder/registry/versions.h"
#include "registry/describe.h"

namespace larder::inline LARDER_ABI {

namespace internal {
template <class V, class... T>
void Members(V& v, T&... members) {
  (v.Member(Key{"", ""}, members), ...);
}
}  // namespace internal

template <class V, Is<Metadata> T>
void Describe(V& v, T& d) {
  DescribeMetadata(v, d);
}
template <class V, Is<StoredColumn> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.name, d.type, d.field, d.expr, d.source_type);
}
template <class V, Is<AggregateColumn> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.function, d.input, d.window, d.rows, d.where, d.group_by, d.category,
                    d.delay, d.include_nulls, d.parameters);
}
template <class V, Is<FeatureColumn::Input> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.name, d.stored);
}
template <class V, Is<FeatureColumn> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.name, d.type, d.expr, d.on_read, d.default_value, d.stored, d.inputs,
                    d.aggregate, d.metadata);
}
template <class V, Is<ViewVersion> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.id, d.data_id, d.project, d.name, d.version, d.definition, d.source,
                    d.batch, d.union_sources, d.base_view, d.boundary, d.keys, d.stored, d.features,
                    d.meaning_hash, d.data_hash, d.inputs_hash, d.revision);
}
template <class V, Is<OnDemandInput> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.name, d.type, d.request, d.on_demand, d.view_id, d.feature);
}
template <class V, Is<OnDemandVersion> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.id, d.project, d.name, d.version, d.definition, d.inputs, d.features,
                    d.meaning_hash, d.inputs_hash, d.revision);
}
template <class V, Is<KeyBinding> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.column, d.use, d.feature);
}
template <class V, Is<ViewUse> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.view_id, d.alias, d.keys);
}
template <class V, Is<OnDemandUse> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.view_id, d.alias, d.input_uses);
}
template <class V, Is<ServiceOutput> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.name, d.type, d.on_demand, d.use, d.feature, d.cast, d.default_value,
                    d.in_tensor);
}
template <class V, Is<ServiceVersion> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.id, d.project, d.name, d.version, d.definition, d.outputs, d.views,
                    d.on_demand, d.keys, d.request, d.meaning_hash, d.revision);
}
template <class V, Is<LabelVersion> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.project, d.name, d.definition, d.view_id, d.feature, d.aggregate, d.type,
                    d.meaning_hash);
}
template <class V, Is<ObjectChange> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.kind, d.project, d.name, d.object_before, d.object_after, d.version_before,
                    d.version_after);
}
template <class V, Is<HistoryEntry> T>
void Describe(V& v, T& d) {
  internal::Members(v, d.number, d.time, d.kind, d.author, d.message, d.detail, d.changes);
}

}  // namespace larder::inline LARDER_ABI
