// Features that are aggregates over windows, and what their sources must be like.
#include "registry/aggregates.h"
#include "registry/fields.h"
#include "registry/view_draft.h"

namespace larder::inline LARDER_ABI {

void Resolver::ResolveAggregates(const std::string& place, ViewDraft* draft) {
  const std::vector<Field>& fields = draft->source->fields;
  const std::vector<Aggregate>& lines = draft->view.definition.aggregates;
  // The same text is asked for by every function and window of a line.
  const auto check = [&](const std::string& text,
                         const std::string& path) -> std::optional<CheckedExpression> {
    absl::StatusOr<CheckedExpression> checked = CheckOverRows(text, *draft);
    if (!checked.ok()) {
      problems_.AddStatus(path, checked.status());
      return std::nullopt;
    }
    if (checked->uses_clock) {
      problems_.Add(path,
                    "current_date and now() have no meaning here: what an event adds to a "
                    "window cannot depend on when it is asked for");
      return std::nullopt;
    }
    draft->reads.insert(checked->inputs.begin(), checked->inputs.end());
    return *std::move(checked);
  };
  for (std::size_t a = 0; a < lines.size(); ++a) {
    const Aggregate& line = lines[a];
    const std::string path = Concat(place, "/aggregates/", a);
    std::string canonical;
    std::optional<DataType> input;
    // With the versions of functions they mean today.
    std::string pinned_input = line.input;
    std::string pinned_where = line.where;
    if (!line.input.empty()) {
      const Field* field = FindField(fields, line.input);
      if (field == nullptr && IsValidName(line.input)) {
        Unknown(Concat(path, "/input"), Concat("field of source ", draft->source->name), line.input,
                FieldNames(fields));
        continue;
      }
      if (field != nullptr && draft->computed.count(line.input) == 0) {
        input = field->type;
        canonical = line.input;
        draft->reads.insert(line.input);
      } else if (const auto checked = check(line.input, Concat(path, "/input"))) {
        input = checked->type;
        canonical = checked->canonical;
        pinned_input = checked->pinned;
      } else {
        continue;
      }
    }
    canonical.push_back('\0');
    if (!line.where.empty()) {
      const auto checked = check(line.where, Concat(path, "/where"));
      if (!checked) continue;
      if (checked->type != DataType(TypeId::kBool)) {
        problems_.Add(Concat(path, "/where"), "where must be bool, found ",
                      checked->type.ToString());
        continue;
      }
      canonical += checked->canonical;
      pinned_where = checked->pinned;
    }
    if (!line.group_by.empty()) {
      const Field* group = FindField(fields, line.group_by);
      if (group == nullptr) {
        Unknown(Concat(path, "/group_by"), Concat("field of source ", draft->source->name),
                line.group_by, FieldNames(fields));
        continue;
      }
      if (!group->type.is_integer() && group->type.id() != TypeId::kString &&
          group->type.id() != TypeId::kBool) {
        problems_.Add(Concat(path, "/group_by"), "group_by takes a string, integer or bool, not ",
                      group->type.ToString());
        continue;
      }
      draft->reads.insert(line.group_by);
    }
    for (NamedAggregate& item : ExpandAggregate(line, path, &problems_)) {
      const DataType* type = input && item.column.function != "count_all" ? &*input : nullptr;
      const absl::StatusOr<DataType> result = AggregateType(item.column, type);
      if (!result.ok()) {
        problems_.AddStatus(item.path, result.status());
        continue;
      }
      if (!IsValidName(item.name)) {
        problems_.Add(item.path, "not a name: ", Quoted(item.name));
      } else if (!draft->names.insert(ToLowerAscii(item.name)).second) {
        problems_.Add(item.path, "repeated name: ", item.name, "; give it a name of its own");
      } else if (FindField(draft->view.keys, item.name) != nullptr) {
        problems_.Add(item.path, item.name, " is a join key of the view already");
      }
      FeatureColumn out;
      out.name = item.name;
      out.type = *result;
      out.aggregate = std::move(item.column);
      out.aggregate->input = pinned_input;
      out.aggregate->where = pinned_where;
      out.metadata = line.metadata;
      draft->view.features.push_back(std::move(out));
      draft->meaning.aggregates.push_back(canonical);
    }
  }
}

// What an event in a window cannot have.
void Resolver::CheckWindowSource(const std::string& place, const FeatureView& view,
                                 const Source& source) {
  if (view.aggregates.empty()) return;
  if (!source.operation.empty() && source.event_id.empty()) {
    problems_.Add(Concat(place, "/aggregates"), "source ", source.name,
                  " has deletes but no event_id to say which event is deleted");
  }
  if (!source.valid_to.empty()) {
    problems_.Add(Concat(place, "/aggregates"), "events of source ", source.name,
                  " end at valid_to; events in a window leave with it");
  }
}

// Raw events must outlive the longest window that looks at them, and the time until they count (SEMANTICS 7).
void Resolver::CheckRetention(const std::string& place, const ViewDraft& draft) {
  const auto check = [&](const Source& source) {
    if (!source.retention) return;
    const std::string kept =
        Concat(" source ", source.name, " keeps them for ", FormatDuration(*source.retention));
    for (const FeatureColumn& feature : draft.view.features) {
      if (!feature.aggregate) continue;
      const AggregateColumn& column = *feature.aggregate;
      const bool lifetime = !column.window && !column.rows;
      if (lifetime && !source.operation.empty() && NeedsAllEvents(column.function)) {
        problems_.Add(place, feature.name, ": a lifetime ", column.function,
                      " over a source with deletes needs all events, but", kept);
      }
      if (column.rows) {
        problems_.Add(place, feature.name, ": the last ", *column.rows,
                      " events may be of any age, but", kept);
        continue;
      }
      const int64_t needed = Timestamp{column.window.value_or(Duration{}).us}
                                 .Plus(column.delay)
                                 .Plus(source.late_by.value_or(Duration{}))
                                 .Plus(source.version_horizon.value_or(kVersionHorizonDefault))
                                 .us;
      if (source.retention->us >= needed) continue;
      problems_.Add(place, feature.name, " needs events of ", FormatDuration({needed}),
                    lifetime ? " (delay" : " (window, delay", ", late_by and version_horizon), but",
                    kept);
      return;
    }
  };
  const auto keeps_alike = [](const Source& a, const Source& b) {
    return a.retention == b.retention && a.late_by == b.late_by &&
           a.version_horizon == b.version_horizon && a.operation == b.operation;
  };
  check(*draft.rows);
  if (draft.batch != nullptr && !keeps_alike(*draft.batch, *draft.rows)) check(*draft.batch);
  for (const Source* source : draft.unions) check(*source);
}

}  // namespace larder::inline LARDER_ABI
