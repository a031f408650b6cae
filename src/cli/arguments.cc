#include "cli/arguments.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace larder::inline LARDER_ABI {
namespace cli {

namespace fs = std::filesystem;

std::string StorePath(const Target& target, const Console& console) {
  if (!target.store.empty()) return target.store;
  const std::optional<std::string> variable = console.variable("LARDER_STORE");
  return variable && !variable->empty() ? *variable : "store";
}

absl::StatusOr<FeatureStore> OpenStore(const Target& target, Access access, const Console& console) {
  const std::string path = StorePath(target, console);
  StoreOptions options;
  options.create_if_missing = access == Access::kCreate;
  options.read_only = access == Access::kRead;
  options.clock = console.clock;
  options.functions = console.functions;
  absl::StatusOr<FeatureStore> store = FeatureStore::Open(path, std::move(options));
  if (!store.ok() && store.status().code() == absl::StatusCode::kNotFound) {
    return NotFoundError(
        "no store at ", Quoted(path),
        ": give --store DIR or set LARDER_STORE, or make one with `larder apply DEFINITIONS`");
  }
  return store;
}

absl::StatusOr<std::optional<Timestamp>> ParseInstant(std::string_view text,
                                                      std::string_view option) {
  if (text.empty()) return std::optional<Timestamp>();
  const absl::StatusOr<ParsedTimestamp> parsed = ParseTimestamp(text);
  if (!parsed.ok()) return AsUsageError(Annotate(parsed.status(), option));
  return std::optional<Timestamp>(parsed->value);
}

absl::StatusOr<std::optional<KnownAt>> ParseKnownAt(std::string_view text) {
  if (text.empty()) return std::optional<KnownAt>();
  if (text == "spine") return std::optional(KnownAt::kSpine);
  if (text == "any") return std::optional(KnownAt::kAny);
  return UsageError("--known-at: expected spine or any, found ", Quoted(text));
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

absl::StatusOr<uint64_t> ParseMoment(std::string_view text, std::string_view option,
                                     const FeatureStore& store) {
  if (const std::optional<uint64_t> number = ParseNumber(text)) return *number;
  const absl::StatusOr<ParsedTimestamp> instant = ParseTimestamp(text);
  if (!instant.ok()) {
    return UsageError(option, ": expected the number of a history entry or a time, found ",
                      Quoted(text));
  }
  LARDER_ASSIGN_OR_RETURN(const std::vector<HistoryEntry> entries, store.History());
  const HistoryEntry* last = nullptr;
  for (const HistoryEntry& entry : entries) {
    if (entry.time <= instant->value) last = &entry;
  }
  if (last != nullptr) return last->number;
  return NotFoundError(
      "nothing had happened by ", FormatTimestamp(instant->value),
      entries.empty() ? std::string()
                      : Concat(": the first entry is of ", FormatTimestamp(entries.front().time)));
}

absl::StatusOr<std::string> ProjectOf(const Target& target, const Catalog& catalog) {
  const std::vector<std::string> projects = catalog.Projects();
  if (projects.empty()) {
    return NotFoundError("the store has no definitions yet: larder apply DEFINITIONS");
  }
  if (target.project.empty()) {
    if (projects.size() == 1) return projects[0];
    return InvalidArgumentError("say which with --project: ", Join(projects, ", "));
  }
  if (std::find(projects.begin(), projects.end(), target.project) == projects.end()) {
    return NotFoundError("unknown project: ", target.project, DidYouMean(target.project, projects));
  }
  return target.project;
}

ApplyInfo MakeInfo(const ChangeNote& note, const Console& console) {
  ApplyInfo info;
  info.author = note.author.empty() ? console.variable("USER").value_or("") : note.author;
  info.message = note.message;
  return info;
}

absl::StatusOr<std::pair<std::string, std::string>> SplitAssignment(std::string_view text,
                                                                    std::string_view option) {
  const std::size_t equals = text.find('=');
  const std::string_view name = TrimAscii(text.substr(0, equals));
  if (equals == std::string_view::npos || name.empty()) {
    return UsageError(option, ": expected name=value, found ", Quoted(text));
  }
  return std::pair(std::string(name), std::string(text.substr(equals + 1)));
}

std::string AbsolutePath(const std::string& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path.empty() ? fs::path(".") : fs::path(path), error);
  if (error) return path;
  const fs::path normal = absolute.lexically_normal();
  // `/data/.` normalises to `/data/`.
  return normal.has_filename() ? normal.string() : normal.parent_path().string();
}

absl::StatusOr<std::string> ReadText(const std::string& path) {
  const bool standard = path == "-";
  std::error_code ignored;
  if (!standard && fs::is_directory(path, ignored))
    return InvalidArgumentError(path, " is a folder");
  std::FILE* file = standard ? stdin : std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    if (errno == ENOENT) return NotFoundError("no such file: ", path);
    return UnavailableError("cannot open ", path, ": ", std::strerror(errno));
  }
  std::string text;
  char buffer[1 << 16];
  std::size_t size = 0;
  while ((size = std::fread(buffer, 1, sizeof(buffer), file)) > 0) text.append(buffer, size);
  const bool failed = std::ferror(file) != 0;
  if (!standard) std::fclose(file);
  if (failed) return UnavailableError("cannot read ", standard ? "standard input" : path);
  return text;
}

absl::Status WriteText(const std::string& path, std::string_view text) {
  const std::string temporary = Concat(path, ".part");
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) return UnavailableError("cannot write ", path, ": ", std::strerror(errno));
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = std::fclose(file) == 0;
  if (written && closed && std::rename(temporary.c_str(), path.c_str()) == 0)
    return absl::OkStatus();
  const absl::Status status = UnavailableError("cannot write ", path, ": ", std::strerror(errno));
  std::remove(temporary.c_str());
  return status;
}

absl::StatusOr<bool> WriteTextIfChanged(const std::string& path, std::string_view text) {
  const absl::StatusOr<std::string> present = ReadText(path);
  if (present.ok() && *present == text) return false;
  LARDER_RETURN_IF_ERROR(WriteText(path, text));
  return true;
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
