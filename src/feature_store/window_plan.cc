#include "feature_store/window_plan.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>
#include <utility>

#include "larder/transform/checker.h"

namespace larder::inline LARDER_ABI {
namespace {

auto PlaceOf(const AggregateSpec& spec) {
  return std::tuple(spec.function, spec.k, spec.p, spec.half_life.us, spec.include_nulls);
}

const Field* FindField(const Source& source, std::string_view name) {
  for (const Field& field : source.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

absl::StatusOr<AggregateSpec> SpecOf(const AggregateColumn& column,
                                     const std::optional<DataType>& input) {
  AggregateSpec spec;
  LARDER_ASSIGN_OR_RETURN(spec.function, FindAggregateFunction(column.function));
  spec.input = input;
  const auto parameter = [&](const char* name) -> const std::string* {
    const auto at = column.parameters.find(name);
    return at == column.parameters.end() ? nullptr : &at->second;
  };
  if (const std::string* k = parameter("k")) {
    LARDER_ASSIGN_OR_RETURN(const Value value, ParseValue(*k, TypeId::kInt64));
    spec.k = *value.As<int64_t>();
  }
  if (const std::string* p = parameter("p")) {
    LARDER_ASSIGN_OR_RETURN(const Value value, ParseValue(*p, TypeId::kFloat64));
    spec.p = *value.As<double>();
  }
  if (const std::string* half_life = parameter("half_life")) {
    LARDER_ASSIGN_OR_RETURN(spec.half_life, ParseDuration(*half_life));
  }
  using enum AggregateFunction;
  const bool takes_nulls = spec.function == kFirst || spec.function == kLast ||
                           spec.function == kFirstK || spec.function == kLastK;
  spec.include_nulls = takes_nulls && column.include_nulls;
  return spec;
}

}  // namespace

class WindowPlan::Builder {
 public:
  Builder(const ViewVersion& view, const CompileOptions& options)
      : view_(view), checker_(options) {}

  absl::StatusOr<WindowPlan> Run() {
    // What is read, in one order for all versions that share their events.
    for (const FeatureColumn& feature : view_.features) {
      const AggregateColumn& column = *feature.aggregate;
      for (const std::string* text : {&column.input, &column.where, &column.group_by})
        LARDER_RETURN_IF_ERROR(Read(*text));
    }
    plan_.rows_ = view_;
    plan_.rows_.definition.aggregates.clear();
    plan_.rows_.features.clear();
    plan_.rows_.stored.clear();
    for (auto& [canonical, stored] : reads_) {
      places_[canonical] = static_cast<int>(plan_.rows_.stored.size());
      stored.name = Concat("$", plan_.rows_.stored.size());
      plan_.rows_.stored.push_back(stored);
    }
    std::map<std::string, WindowStream> streams;
    for (const FeatureColumn& feature : view_.features)
      LARDER_RETURN_IF_ERROR(AddSpec(*feature.aggregate, &streams));
    for (auto& [meaning, stream] : streams) {
      std::sort(
          stream.specs.begin(), stream.specs.end(),
          [](const AggregateSpec& a, const AggregateSpec& b) { return PlaceOf(a) < PlaceOf(b); });
      stream.specs.erase(std::unique(stream.specs.begin(), stream.specs.end()), stream.specs.end());
      LARDER_RETURN_IF_ERROR(AccumulatorSet::Make(stream.specs).status());
      plan_.streams_.push_back(std::move(stream));
    }
    Duration reach{};
    bool bounded = true;
    for (const FeatureColumn& feature : view_.features) {
      LARDER_ASSIGN_OR_RETURN(const WindowFeature made, FeatureOf(*feature.aggregate));
      if (made.window.length) {
        const Timestamp back = Timestamp{made.window.length->us}.Plus(made.window.delay);
        reach = std::max(reach, Duration{back.us});
      } else {
        bounded = false;
      }
      plan_.features_.push_back(made);
    }
    if (bounded) plan_.reach_ = reach;
    return std::move(plan_);
  }

 private:
  // The canonical form of a field's name or an expression.
  absl::StatusOr<std::string> Canonical(const std::string& text) const {
    if (text.empty() || FindField(view_.source, text) != nullptr) return text;
    LARDER_ASSIGN_OR_RETURN(const CheckedExpression checked,
                            checker_.Check(text, view_.source.fields));
    return Concat("=", checked.canonical);
  }

  absl::Status Read(const std::string& text) {
    if (text.empty()) return absl::OkStatus();
    StoredColumn stored;
    if (const Field* field = FindField(view_.source, text)) {
      stored.field = text;
      stored.type = field->type;
    } else {
      LARDER_ASSIGN_OR_RETURN(const CheckedExpression checked,
                              checker_.Check(text, view_.source.fields));
      stored.expr = text;
      stored.type = checked.type;
    }
    stored.source_type = stored.type;
    LARDER_ASSIGN_OR_RETURN(std::string canonical, Canonical(text));
    reads_.emplace(std::move(canonical), std::move(stored));
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> MeaningOf(const AggregateColumn& column) const {
    LARDER_ASSIGN_OR_RETURN(std::string meaning, Canonical(column.input));
    LARDER_ASSIGN_OR_RETURN(const std::string where, Canonical(column.where));
    meaning.push_back('\0');
    meaning += where;
    meaning.push_back('\0');
    meaning += column.group_by;
    return meaning;
  }

  absl::StatusOr<int> PlaceOfText(const std::string& text) const {
    if (text.empty()) return -1;
    LARDER_ASSIGN_OR_RETURN(const std::string canonical, Canonical(text));
    return places_.at(canonical);
  }

  absl::Status AddSpec(const AggregateColumn& column, std::map<std::string, WindowStream>* streams) {
    LARDER_ASSIGN_OR_RETURN(std::string meaning, MeaningOf(column));
    WindowStream& stream = (*streams)[meaning];
    stream.meaning = std::move(meaning);
    LARDER_ASSIGN_OR_RETURN(stream.input, PlaceOfText(column.input));
    LARDER_ASSIGN_OR_RETURN(stream.where, PlaceOfText(column.where));
    LARDER_ASSIGN_OR_RETURN(stream.group, PlaceOfText(column.group_by));
    if (stream.input >= 0)
      stream.input_type = plan_.rows_.stored[static_cast<std::size_t>(stream.input)].type;
    LARDER_ASSIGN_OR_RETURN(AggregateSpec spec, SpecOf(column, stream.input_type));
    stream.specs.push_back(spec);
    if (stream.group >= 0) stream.specs.push_back(CountOf(stream));
    return absl::OkStatus();
  }

  static AggregateSpec CountOf(const WindowStream& stream) {
    AggregateSpec count;
    count.function = AggregateFunction::kCountAll;
    count.input = stream.input_type;
    return count;
  }

  absl::StatusOr<WindowFeature> FeatureOf(const AggregateColumn& column) const {
    WindowFeature feature;
    LARDER_ASSIGN_OR_RETURN(const std::string meaning, MeaningOf(column));
    const auto stream =
        std::find_if(plan_.streams_.begin(), plan_.streams_.end(),
                     [&](const WindowStream& other) { return other.meaning == meaning; });
    feature.stream = static_cast<std::size_t>(stream - plan_.streams_.begin());
    LARDER_ASSIGN_OR_RETURN(const AggregateSpec spec, SpecOf(column, stream->input_type));
    feature.spec = PlaceIn(*stream, spec);
    feature.window = {column.window, column.rows, column.delay, view_.boundary == Boundary::kAt};
    feature.category = column.category;
    feature.is_map = stream->group >= 0 && column.category.empty();
    if (stream->group >= 0) feature.events = PlaceIn(*stream, CountOf(*stream));
    return feature;
  }

  static std::size_t PlaceIn(const WindowStream& stream, const AggregateSpec& spec) {
    return static_cast<std::size_t>(std::find(stream.specs.begin(), stream.specs.end(), spec) -
                                    stream.specs.begin());
  }

  const ViewVersion& view_;
  const TransformChecker checker_;
  WindowPlan plan_;
  std::map<std::string, StoredColumn> reads_;  // by canonical form
  std::map<std::string, int> places_;
};

absl::StatusOr<WindowPlan> WindowPlan::Make(const ViewVersion& view, const CompileOptions& options) {
  absl::StatusOr<WindowPlan> plan = Builder(view, options).Run();
  if (!plan.ok()) return Annotate(plan.status(), Concat("feature view ", view.ToString()));
  return plan;
}

const Source& WindowSource(const ViewVersion& view, std::size_t number, bool offline) {
  if (number > 0) return view.union_sources[number - 1];
  return offline ? view.offline_source() : view.source;
}

std::size_t NumberOfSource(const ViewVersion& view, std::string_view name) {
  for (std::size_t i = 0; i < view.union_sources.size(); ++i) {
    if (view.union_sources[i].name == name) return i + 1;
  }
  return 0;
}

std::string CategoryAt(const Column& column, std::size_t row) {
  if (column.type().id() == TypeId::kString) return std::string(column.Text(row));
  return FormatValue(column.ValueAt(row));
}

}  // namespace larder::inline LARDER_ABI
