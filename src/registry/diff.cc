#include "registry/diff.h"

#include <algorithm>

namespace larder::inline LARDER_ABI {
namespace {

bool SameTree(const JsonNode& a, const JsonNode& b) {
  if (a.kind != b.kind || a.text != b.text || a.names != b.names ||
      a.items.size() != b.items.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!SameTree(a.items[i], b.items[i])) return false;
  }
  return true;
}

std::string NameOf(const JsonNode& node) {
  const JsonNode* name = node.Find("name");
  return name != nullptr && name->is_text() ? name->text : std::string();
}

// Whether every item is an object with a name of its own.
bool Named(const JsonNode& list) {
  std::vector<std::string> names;
  for (const JsonNode& item : list.items) {
    if (!item.is_object() || NameOf(item).empty()) return false;
    names.push_back(NameOf(item));
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) == names.end();
}

class Differ {
 public:
  explicit Differ(std::vector<FieldDiff>* out) : out_(*out) {}

  void Values(const std::string& path, const JsonNode* before, const JsonNode* after, bool meaning) {
    if (before != nullptr && after != nullptr) {
      if (SameTree(*before, *after)) return;
      if (before->is_object() && after->is_object()) return Objects(path, *before, *after, meaning);
      if (before->is_array() && after->is_array() && Named(*before) && Named(*after) &&
          (!before->items.empty() || !after->items.empty())) {
        return Lists(path, *before, *after, meaning);
      }
    }
    Add(path, before, after, meaning);
  }

  void Objects(const std::string& path, const JsonNode& before, const JsonNode& after,
               bool meaning) {
    for (std::size_t i = 0; i < before.names.size(); ++i) {
      Values(Step(path, before.names[i]), &before.items[i], after.Find(before.names[i]),
             meaning && before.items[i].meaning);
    }
    for (std::size_t i = 0; i < after.names.size(); ++i) {
      if (before.Find(after.names[i]) != nullptr) continue;
      Values(Step(path, after.names[i]), nullptr, &after.items[i],
             meaning && after.items[i].meaning);
    }
  }

 private:
  void Lists(const std::string& path, const JsonNode& before, const JsonNode& after, bool meaning) {
    std::vector<std::string> kept_before, kept_after;
    for (const JsonNode& item : before.items) {
      const JsonNode* other = FindNamed(after, NameOf(item));
      if (other != nullptr) kept_before.push_back(NameOf(item));
      Values(Step(path, NameOf(item)), &item, other, meaning);
    }
    for (const JsonNode& item : after.items) {
      if (FindNamed(before, NameOf(item)) != nullptr) {
        kept_after.push_back(NameOf(item));
      } else {
        Values(Step(path, NameOf(item)), nullptr, &item, meaning);
      }
    }
    if (kept_before == kept_after) return;
    const JsonNode old_order = JsonText(Join(kept_before, ", "));
    const JsonNode new_order = JsonText(Join(kept_after, ", "));
    Add(Concat(path, " (order)"), &old_order, &new_order, meaning);
  }
  static const JsonNode* FindNamed(const JsonNode& list, const std::string& name) {
    for (const JsonNode& item : list.items) {
      if (NameOf(item) == name) return &item;
    }
    return nullptr;
  }
  static std::string Step(const std::string& path, const std::string& name) {
    return path.empty() ? name : Concat(path, "/", name);
  }
  void Add(const std::string& path, const JsonNode* before, const JsonNode* after, bool meaning) {
    FieldDiff diff;
    diff.path = path;
    if (before != nullptr) diff.before = FormatJsonLine(*before);
    if (after != nullptr) diff.after = FormatJsonLine(*after);
    diff.meaning = meaning;
    out_.push_back(std::move(diff));
  }
  std::vector<FieldDiff>& out_;
};

}  // namespace

std::vector<FieldDiff> DiffTrees(const JsonNode& before, const JsonNode& after) {
  std::vector<FieldDiff> out;
  Differ(&out).Values("", &before, &after, true);
  return out;
}

}  // namespace larder::inline LARDER_ABI
