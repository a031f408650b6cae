// The table of functions: what the type checker chooses from and codegen calls.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/data_type.h"
#include "larder/transform/expression.h"
#include "transform/ir.h"
#include "transform/vm.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// What a function that needs constants (a zone, a pattern, boundaries) sees of its call.
struct PrepareContext {
  struct ArgumentInfo {
    DataType type;
    const Constant* constant;  // null when not known at compile time
  };
  std::vector<ArgumentInfo> arguments;
  const ExpressionLimits* limits = nullptr;
};
// Errors carry the plain reason; the type checker adds the place.
struct Prepared {
  std::shared_ptr<const void> aux;
  std::string aux_key;
  uint32_t run_arguments = 0xffffffffU;  // bit i: argument i is still passed at run time
  std::optional<DataType> result;        // where it depends on the arguments
};
using PrepareFunction = absl::StatusOr<Prepared> (*)(const PrepareContext&);

enum BuiltinFlags : uint8_t {
  kPlain = 0,
  kFallible = 1,  // may turn a row into null by a counted rule
  kCostly = 2,    // worth skipping where not needed
};

struct Builtin {
  std::string_view name;
  std::vector<DataType> parameters = {};  // kVector and kList match by kind and element; length is free
  DataType result = {};
  Kernel kernel = nullptr;
  uint8_t flags = kPlain;
  bool variadic = false;  // the last parameter repeats, at least once
  Branching branching = Branching::kNone;
  PrepareFunction prepare = nullptr;
};

class BuiltinTable {
 public:
  // Built once, immutable, shared by the process.
  static const BuiltinTable& Get();

  void Add(Builtin builtin) { builtins_.push_back(std::move(builtin)); }
  // Overloads in the order added; empty when there is no such function.
  [[nodiscard]] std::span<const Builtin> Find(std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  void Sort();
  std::vector<Builtin> builtins_;
  std::vector<std::string> names_;
};

void AddLogic(BuiltinTable* table);
void AddArithmetic(BuiltinTable* table);
void AddComparisons(BuiltinTable* table);
void AddMath(BuiltinTable* table);
void AddDurations(BuiltinTable* table);
void AddTime(BuiltinTable* table);
void AddText(BuiltinTable* table);
void AddTextSearch(BuiltinTable* table);
void AddNested(BuiltinTable* table);
void AddFeatureMaking(BuiltinTable* table);

// Used by the type checker itself.
Kernel SelectKernel(Storage storage);    // (condition, a, b)
Kernel CoalesceKernel(Storage storage);  // (a, b)
Kernel NullIfKernel(Storage storage);    // (a, equal): null where `equal` is true
Kernel IsNullKernel();
Kernel IsDistinctKernel();                                  // (a, b, a = b)
Kernel ExtremeKernel(const DataType& type, bool greatest);  // (a, b), nulls skipped
// Guard bits: argument 0 is the condition (or the tested value), argument 1, if any, the enclosing guard.
enum class GuardKind : uint8_t { kTrue, kNotTrue, kNotFalse, kNull };
Kernel GuardKernel(GuardKind kind);
// x in (constants): aux is made by MakeInSet from the non-null items.
struct InSet {
  Kernel kernel = nullptr;
  std::shared_ptr<const void> aux;
  std::string key;
};
InSet MakeInSet(const DataType& type, std::span<const Constant> items, bool has_null);
// lower(x) = constant (or <>), or lower(trim(x)) with `trimmed`, over x itself.
InSet MakeLoweredComparison(const Constant& wanted, bool equal, bool trimmed);
// Null when there is no such conversion. `lenient` ones do not count.
struct CastKernel {
  Kernel kernel = nullptr;  // null with `alias`: the register serves as it is
  bool possible = false;
  bool fallible = false;
  bool costly = false;
};
CastKernel FindCast(TypeId from, TypeId to, bool lenient);

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
