#include "cli/plan_output.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "cli/json_writer.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

// Keeps the plan's own colours and nothing else that drives a terminal: JSON texts in it escape ESC.
std::string PrintableColored(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t escape = text.find("\033[");
    out.append(Printable(text.substr(0, escape), true));
    if (escape == std::string_view::npos) break;
    const std::size_t end = text.find_first_not_of("0123456789;", escape + 2);
    if (end == std::string_view::npos || text[end] != 'm') break;
    out.append(text.substr(escape, end + 1 - escape));
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

std::string PlanText(const ChangePlan& plan, const Console& console) {
  return console.color() ? PrintableColored(plan.ToText(true)) : Printable(plan.ToText(false), true);
}

std::string PlanText(const ChangePlan& plan, const std::string& title, const Console& console) {
  const std::string text = PlanText(plan, console);
  return Concat(Printable(title), text.substr(std::min(text.find('\n'), text.size())));
}

void PrintApplied(const ApplyResult& result, Format format, Console& console) {
  if (format == Format::kJson) {
    JsonWriter json;
    json.BeginObject();
    json.Member("changed", result.changed);
    json.Member("revision", result.revision);
    json.Member("commit_seq", result.commit_seq);
    json.Key("plan");
    json.Raw(TrimAscii(result.plan.ToJson()));
    json.EndObject();
    console.out << std::move(json).Finish();
    return;
  }
  console.out << PlanText(result.plan, console);
  if (!result.changed) {
    console.out << "nothing to change: still revision " << result.revision << '\n';
    return;
  }
  console.out << "applied: revision " << result.revision << ", commit " << result.commit_seq << '\n';
  const bool loads =
      std::any_of(result.plan.changes.begin(), result.plan.changes.end(),
                  [](const Change& change) { return change.work == DataWork::kMaterialize; });
  if (loads) console.out << "next: larder materialize\n";
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
