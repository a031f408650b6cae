// Derived views: features and aggregates over the rows of another view.
//
// Such a row is one of the base's source with the base's features worked out. So a derived view becomes one of that source,
// with the base's expressions written out in its own: whatever reads, pushes and joins rows knows nothing of it.
#include "registry/fields.h"
#include "registry/view_draft.h"

namespace larder::inline LARDER_ABI {
namespace {

// On a line of its own, since it may end with a comment.
std::string InParentheses(std::string_view expression) { return Concat("(", expression, "\n)"); }

std::string Cast(const std::string& expression, const DataType& type) {
  return Concat("cast", InParentheses(Concat(expression, "\n as ", type.ToString())));
}

}  // namespace

void Resolver::TakeBase(const std::string& place, ViewDraft* draft) {
  const ViewVersion& base = *draft->base;
  const Source& source = *draft->source;
  const std::string path = Concat(place, "/source");
  if (base.is_aggregate()) {
    problems_.Add(path, "feature view ", base.name,
                  " holds aggregates: aggregates of aggregates are not computed yet");
  }
  if (base.definition.partial_updates) {
    problems_.Add(path, "feature view ", base.name,
                  " has partial updates: its rows do not hold all features");
  }
  if (!draft->unions.empty())
    problems_.Add(Concat(place, "/union"), "a derived view reads the rows of one view only");
  Source expected;
  expected.name = source.name;
  expected.kind = source.kind;
  expected.view = source.view;
  expected.fields = source.fields;
  expected.event_time = base.source.event_time;
  expected.metadata = source.metadata;
  if (source != expected) {
    problems_.Add(path, "source ", source.name, " has the rows of feature view ", base.name,
                  " as they are: times, order and the like are said at source ", base.source.name);
  }
  draft->rows = &base.source;
  draft->batch = base.batch ? &*base.batch : nullptr;
  draft->unions.clear();
  for (const Source& united : base.union_sources) draft->unions.push_back(&united);

  // Keys and event times may be written in a type that the view's is wider than.
  for (const Field& field : source.fields) {
    const Field* const read = FindField(base.source.fields, field.name);
    if (base.FindFeature(field.name) < 0 && read != nullptr && read->type != field.type)
      draft->computed[field.name] = Cast(QuotedName(field.name), field.type);
  }
  for (const FeatureColumn& feature : base.features) {
    std::string text = feature.expr;
    if (!feature.on_read) {
      if (feature.stored < 0) continue;
      const StoredColumn& column = base.stored[static_cast<std::size_t>(feature.stored)];
      if (column.expr.empty() && column.source_type == column.type) continue;
      text = column.expr.empty() ? QuotedName(column.field) : column.expr;
    }
    const absl::StatusOr<CheckedExpression> checked = checker_.Check(text, base.source.fields);
    if (!checked.ok()) {
      problems_.AddStatus(path, Annotate(checked.status(), Concat(base.name, ":", feature.name)));
      continue;
    }
    const std::string expression = checked->pinned.substr(checked->body);
    draft->computed[feature.name] =
        checked->type != feature.type ? Cast(expression, feature.type) : expression;
  }
}

// What must be a column of the rows cannot be computed by the base.
void Resolver::CheckDerived(const std::string& place, const ViewDraft& draft) {
  if (draft.base == nullptr) return;
  const auto check = [&](const std::string& path, std::string_view what, const std::string& name) {
    if (draft.base->FindFeature(name) < 0 || draft.computed.count(name) == 0) return;
    problems_.Add(path, what, " ", name, " is computed or widened by feature view ",
                  draft.base->name, "; it must be a field of source ", draft.rows->name);
  };
  for (const Field& key : draft.view.keys) check(Concat(place, "/source"), "join key", key.name);
  check(Concat(place, "/source"), "event time", draft.rows->event_time);
  const std::vector<Aggregate>& lines = draft.view.definition.aggregates;
  for (std::size_t a = 0; a < lines.size(); ++a)
    check(Concat(place, "/aggregates/", a, "/group_by"), "group_by", lines[a].group_by);
}

absl::StatusOr<CheckedExpression> Resolver::CheckOverRows(const std::string& text,
                                                          const ViewDraft& draft) {
  absl::StatusOr<CheckedExpression> checked = checker_.Check(text, draft.source->fields);
  if (!checked.ok() || draft.base == nullptr) return checked;
  const std::string_view pinned = checked->pinned;
  std::string written_out;
  std::size_t at = checked->body;
  for (const CheckedExpression::Use& use : checked->uses) {
    const auto computed = draft.computed.find(use.name);
    if (computed == draft.computed.end()) continue;
    written_out += pinned.substr(at, use.begin - at);
    written_out += InParentheses(computed->second);
    at = use.end;
  }
  written_out += pinned.substr(at);
  absl::StatusOr<CheckedExpression> over_rows = checker_.Check(written_out, draft.rows->fields);
  const std::string place = Concat("with the features of ", draft.base->name, " written out");
  if (!over_rows.ok()) return Annotate(over_rows.status(), place);
  if (over_rows->type != checked->type) {
    return Annotate(InvalidArgumentError("found ", over_rows->type.ToString(), ", expected ",
                                         checked->type.ToString()),
                    place);
  }
  return over_rows;
}

}  // namespace larder::inline LARDER_ABI
