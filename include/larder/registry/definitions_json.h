// The JSON form of definitions, one to one with the structs of schema/definitions.h.
//
// Comments (`//`, `/* */`) are allowed. Keys are checked: an unknown or repeated one is an error. A
// text is read to its end before anything is reported, so one status lists every problem, a line
// each, with its JSON path:
//
//   fraud.json: 2 problems
//     /feature_views/2/ttl: cannot read "5x" as a duration
//     /sources/0/evnt_time: unknown key (did you mean "event_time"?)
//
// Limits: 64 levels of nesting, 16 MiB a file.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// Reads one file's text. `origin` names it in messages. base_path stays empty. Only the form is
// checked; whether names exist and types fit is MakePlan's business. Errors: kInvalidArgument with
// all problems; kind kTooLarge over the limits.
[[nodiscard]] absl::StatusOr<Definitions> ParseDefinitions(std::string_view json,
                                                           std::string_view origin);

// Reads a file, or every *.json of a folder and its sub-folders, merged in path order. base_path
// becomes the file's folder (or the folder given); relative paths inside a sub-folder are rewritten
// to start there. Files of a folder must name the same project; a file without `project` joins the
// others. Errors: kNotFound when there is nothing to read; else all problems of all files, as
// above.
[[nodiscard]] absl::StatusOr<Definitions> LoadDefinitions(const std::string& path);

// Replaces `${VAR}` in the paths and queries of all sources by what `lookup` answers; `$${` stands
// for a literal `${`. Errors: kInvalidArgument naming every variable that `lookup` does not know;
// then nothing is replaced.
[[nodiscard]] absl::Status ExpandVariables(
    const std::function<std::optional<std::string>(std::string_view name)>& lookup,
    Definitions* definitions);

// Indented JSON with a stable key order and without keys that hold their default. ParseDefinitions
// reads it back to an equal value, but for base_path, which is not part of the text. (A default
// value of a feature without a declared type comes back as bool, int64, float64 or string.)
[[nodiscard]] std::string DefinitionsToJson(const Definitions& definitions);

// One object in the same form, as `describe --format json` prints it.
[[nodiscard]] std::string ToJson(const Entity& entity);
[[nodiscard]] std::string ToJson(const Source& source);
[[nodiscard]] std::string ToJson(const FeatureView& view);
[[nodiscard]] std::string ToJson(const OnDemandView& view);
[[nodiscard]] std::string ToJson(const Label& label);
[[nodiscard]] std::string ToJson(const FeatureService& service);

// One feature of a view in the same form: `{"name": "user_age", "expr": "current_date -
// birth_date"}`. Errors: kInvalidArgument with all problems.
[[nodiscard]] absl::StatusOr<Feature> ParseFeature(std::string_view json, std::string_view origin);

// The JSON Schema (draft 2020-12) of a definitions file, made from the same table that reads and
// writes it.
[[nodiscard]] std::string DefinitionsJsonSchema();

}  // namespace larder::inline LARDER_ABI
