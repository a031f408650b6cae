// Functions written in C++, callable from expressions by name, each in several versions side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/hash.h"
#include "larder/base/status.h"
#include "larder/schema/data_type.h"
#include "larder/schema/value.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {

// Where a function puts its answer. Text and vectors are copied.
class FunctionResult {
 public:
  explicit FunctionResult(void* arena) : arena_(arena) {}
  void SetNull() { datum_ = Datum::Null(); }
  // A null that a rule of the function made: counted in EvalCounts::other.
  void Fail() {
    datum_ = Datum::Null();
    failed_ = true;
  }
  void SetBool(bool v) { datum_ = Datum::Bool(v); }
  void SetInt(int64_t v) { datum_ = Datum::Int64(v); }  // int64, timestamp, date (days), duration
  void SetUint(uint64_t v) { datum_ = Datum::Uint64(v); }
  void SetFloat(double v) { datum_ = Datum::Float64(v); }
  // Null instead, counted, when longer than ExpressionLimits::result_bytes (overflow) or, of a string, no valid UTF-8
  // (other).
  void SetText(std::string_view text);
  [[nodiscard]] const Datum& datum() const LARDER_LIFETIME_BOUND { return datum_; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void* arena_;
  Datum datum_;
  bool failed_ = false;
};

// One row. Arguments come in the declared types (date as int64 days in `i64`); every one is valid unless the
// definition takes nulls. Must be a pure function: the same arguments always give the same answer, from any thread.
using ScalarFunction = std::function<void(std::span<const Datum> arguments, FunctionResult* result)>;

// Many rows: `arguments[k][row]`; fill `results`, as many as rows. Called with one row when serving, so both uses must
// agree; the probes check it.
using BatchFunction = std::function<void(std::span<const std::span<const Datum>> arguments,
                                         std::span<FunctionResult> results)>;

struct FunctionDefinition {
  std::string name;  // a valid name, not a built-in's
  int version = 1;
  // bool, int64, uint64, float64, string, bytes, timestamp, date, duration; arguments also vectors. int32 and float32
  // arguments widen.
  std::vector<DataType> arguments;
  DataType result = TypeId::kFloat64;
  bool takes_nulls = false;  // false: any null argument gives null without a call
  ScalarFunction scalar;     // exactly one of the two
  BatchFunction batch;
  // Rows of arguments. Their outputs are hashed into every definition that uses the function, and compared again when
  // a store is opened: code that changed its answers under the same version is noticed. At least one.
  std::vector<std::vector<Value>> probes;
};

// Threads: thread-compatible. Programs keep the functions they use alive, so a registry may go first.
class FunctionRegistry {
 public:
  // Runs the probes. Errors: kInvalidArgument (naming what is wrong), kAlreadyExists for the same name and version.
  absl::Status Register(FunctionDefinition definition);

  struct Entry {
    FunctionDefinition definition;
    Hash128 probe_hash;
    // `name@version#hash`.
    [[nodiscard]] std::string Identity() const;
  };
  // Version 0 means the latest. Errors: kNotFound naming the registered names or versions.
  [[nodiscard]] absl::StatusOr<std::shared_ptr<const Entry>> Find(std::string_view name,
                                                                  int version = 0) const;
  [[nodiscard]] std::vector<std::string> names() const;
  // Whether what a stored definition names (`name@version#hash`) is here and answers its probes as then.
  // Errors: kNotFound when it is missing, kFailedPrecondition when the hash differs.
  [[nodiscard]] absl::Status CheckIdentity(std::string_view identity) const;

 private:
  std::map<std::string, std::map<int, std::shared_ptr<const Entry>>, std::less<>> functions_;
};

}  // namespace larder::inline LARDER_ABI
