#include <algorithm>
#include <iterator>

#include "larder/registry/plan.h"
#include "registry/json_tree.h"

namespace larder::inline LARDER_ABI {
namespace {

struct Style {
  const char* mark;
  const char* color;
};

Style StyleOf(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kAdded:
      return {"+", "\033[32m"};
    case ChangeKind::kRemoved:
      return {"-", "\033[31m"};
    case ChangeKind::kUnmanaged:
      return {"?", "\033[2m"};
    case ChangeKind::kUnchanged:
      return {"=", "\033[2m"};
    default:
      return {"~", "\033[33m"};
  }
}

std::string Versions(const Change& change) {
  if (change.version_after == 0 && change.version_before == 0) return "";
  if (change.version_before == 0) return Concat("@", change.version_after);
  if (change.version_after == 0 || change.version_after == change.version_before) {
    return Concat("@", change.version_before);
  }
  return Concat("@", change.version_before, " -> @", change.version_after);
}

// `1.2 MB`: three digits are enough for "rough".
std::string BytesText(uint64_t bytes) {
  constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  uint64_t tenths = bytes * 10;
  while (tenths >= 10'000 && unit + 1 < std::size(kUnits)) {
    tenths = (tenths + 500) / 1000;
    ++unit;
  }
  const std::string fraction = unit == 0 || tenths >= 1000 ? "" : Concat(".", tenths % 10);
  return Concat(tenths / 10, fraction, " ", kUnits[unit]);
}

std::string CostText(const LoadCost& cost) {
  std::string text = Concat(", ", BytesText(cost.bytes));
  if (cost.files != 1) text += Concat(" in ", cost.files, " files");
  if (cost.rows) text += Concat(", ", *cost.rows, " rows at the last load");
  return text;
}

std::string WorkText(const Change& change) {
  switch (change.work) {
    case DataWork::kNothing:
      return "";
    case DataWork::kShares:
      return change.shares_with == change.version_after
                 ? ""
                 : Concat("shares the rows of @", change.shares_with, ": nothing to load");
    case DataWork::kMaterialize:
      return Concat("needs a load: larder materialize --view ", change.name, "@",
                    change.version_after, change.cost ? CostText(*change.cost) : "");
    case DataWork::kPush:
      return "filled by pushes";
  }
  return "";
}

const char* WorkName(DataWork work) {
  switch (work) {
    case DataWork::kNothing:
      return "nothing";
    case DataWork::kShares:
      return "shares";
    case DataWork::kMaterialize:
      return "materialize";
    case DataWork::kPush:
      return "push";
  }
  return "nothing";
}

// The two sides of a difference stay readable when they are long: each gets its own line then.
void AppendDiff(const FieldDiff& diff, std::size_t width, std::string* out) {
  const std::string before = diff.before.empty() ? "(absent)" : diff.before;
  const std::string after = diff.after.empty() ? "(absent)" : diff.after;
  std::string path = diff.path;
  path.resize(std::max(path.size(), width), ' ');
  if (before.size() + after.size() + path.size() <= 90) {
    out->append(Concat("      ", path, "  ", before, "  ->  ", after, "\n"));
  } else {
    out->append(Concat("      ", diff.path, "\n        - ", before, "\n        + ", after, "\n"));
  }
}

std::vector<std::pair<std::string, std::size_t>> Counts(const ChangePlan& plan) {
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const ChangeKind kind :
       {ChangeKind::kAdded, ChangeKind::kNewVersion, ChangeKind::kKnownVersion,
        ChangeKind::kChanged, ChangeKind::kMetadata, ChangeKind::kRemoved, ChangeKind::kUnmanaged,
        ChangeKind::kUnchanged}) {
    const auto count = std::count_if(plan.changes.begin(), plan.changes.end(),
                                     [&](const Change& change) { return change.change == kind; });
    counts.emplace_back(ChangeKindName(kind), static_cast<std::size_t>(count));
  }
  return counts;
}

}  // namespace

std::string ChangePlan::ToText(bool color) const {
  const auto paint = [&](const char* code, const std::string& text) {
    return color ? Concat(code, text, "\033[0m") : text;
  };
  std::string out =
      Concat("project ", project, ", ",
             base_revision == 0 ? std::string("new") : Concat("from revision ", base_revision),
             options.stage ? ", staged: bare names stay where they are" : "", "\n");
  std::size_t kind_width = 0;
  std::size_t name_width = 0;
  for (const Change& change : changes) {
    if (change.change == ChangeKind::kUnchanged) continue;
    kind_width = std::max(kind_width, ObjectKindName(change.kind).size());
    name_width = std::max(name_width, change.name.size() + Versions(change).size());
  }
  for (const Change& change : changes) {
    if (change.change == ChangeKind::kUnchanged) continue;
    const Style style = StyleOf(change.change);
    std::string kind(ObjectKindName(change.kind));
    kind.resize(kind_width, ' ');
    std::string name = Concat(change.name, Versions(change));
    name.resize(std::max(name.size(), name_width), ' ');
    std::string line =
        Concat("  ", style.mark, " ", kind, "  ", name, "  ", ChangeKindName(change.change));
    if (!change.causes.empty()) line += Concat(", because of ", Join(change.causes, ", "));
    out += Concat(paint(style.color, line), "\n");
    std::size_t width = 0;
    for (const FieldDiff& diff : change.diffs) {
      if (diff.path.size() <= 40) width = std::max(width, diff.path.size());
    }
    for (const FieldDiff& diff : change.diffs) AppendDiff(diff, width, &out);
    if (const std::string work = WorkText(change); !work.empty()) {
      out += Concat("      ", work, "\n");
    }
  }
  for (const LintFinding& warning : warnings) {
    out += Concat(paint("\033[35m", Concat("  ! ", warning.object, ": ", warning.rule)), ": ",
                  warning.message, "\n");
  }
  std::vector<std::string> summary;
  for (const auto& [name, count] : Counts(*this)) {
    if (count > 0) summary.push_back(Concat(count, " ", name));
  }
  if (!warnings.empty()) summary.push_back(Concat(warnings.size(), " warnings"));
  out += Concat(empty() ? "nothing to do" : "summary", ": ", Join(summary, ", "), "\n");
  return out;
}

std::string ChangePlan::ToJson() const {
  JsonNode root = JsonObject();
  root.Add("project", JsonText(project));
  root.Add("base_revision", JsonNumber(Concat(base_revision)));
  root.Add("stage", JsonBool(options.stage));
  root.Add("prune", JsonBool(options.prune));
  root.Add("empty", JsonBool(empty()));
  JsonNode list = JsonArray();
  for (const Change& change : changes) {
    JsonNode node = JsonObject();
    node.Add("kind", JsonText(ObjectKindName(change.kind)));
    node.Add("name", JsonText(change.name));
    node.Add("change", JsonText(ChangeKindName(change.change)));
    if (change.version_before != 0) {
      node.Add("version_before", JsonNumber(Concat(change.version_before)));
    }
    if (change.version_after != 0) {
      node.Add("version_after", JsonNumber(Concat(change.version_after)));
    }
    if (!change.causes.empty()) {
      JsonNode causes = JsonArray();
      for (const std::string& cause : change.causes) causes.items.push_back(JsonText(cause));
      node.Add("causes", std::move(causes));
    }
    if (!change.diffs.empty()) {
      JsonNode diffs = JsonArray();
      for (const FieldDiff& diff : change.diffs) {
        JsonNode item = JsonObject();
        item.Add("path", JsonText(diff.path));
        // Values are JSON already, so that a reader gets numbers as numbers.
        const auto add = [&](const char* key, const std::string& text) {
          if (text.empty()) return;
          JsonNode value;
          value.kind = JsonNode::Kind::kFloat;
          value.text = text;
          item.Add(key, std::move(value));
        };
        add("before", diff.before);
        add("after", diff.after);
        item.Add("meaning", JsonBool(diff.meaning));
        diffs.items.push_back(std::move(item));
      }
      node.Add("diffs", std::move(diffs));
    }
    if (change.kind == ObjectKind::kFeatureView) {
      node.Add("work", JsonText(WorkName(change.work)));
      if (change.work == DataWork::kShares) {
        node.Add("shares_with", JsonNumber(Concat(change.shares_with)));
      }
      if (change.cost) {
        JsonNode cost = JsonObject();
        cost.Add("files", JsonNumber(Concat(change.cost->files)));
        cost.Add("bytes", JsonNumber(Concat(change.cost->bytes)));
        if (change.cost->rows) cost.Add("rows", JsonNumber(Concat(*change.cost->rows)));
        node.Add("cost", std::move(cost));
      }
    }
    list.items.push_back(std::move(node));
  }
  root.Add("changes", std::move(list));
  JsonNode lint = JsonArray();
  for (const LintFinding& warning : warnings) {
    JsonNode node = JsonObject();
    node.Add("rule", JsonText(warning.rule));
    node.Add("object", JsonText(warning.object));
    node.Add("message", JsonText(warning.message));
    lint.items.push_back(std::move(node));
  }
  root.Add("warnings", std::move(lint));
  JsonNode summary = JsonObject();
  for (const auto& [name, count] : Counts(*this)) summary.Add(name, JsonNumber(Concat(count)));
  root.Add("summary", std::move(summary));
  return FormatJson(root);
}

}  // namespace larder::inline LARDER_ABI
