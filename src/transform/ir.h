// The typed program before registers: nodes shared by content, arguments before users.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/schema/data_type.h"
#include "transform/vm.h"

namespace larder::inline LARDER_ABI {
namespace transform {

using IrId = uint32_t;
inline constexpr IrId kNoIr = 0xffffffffU;

// A value known at compile time, in its register form.
struct Constant {
  bool valid = false;
  int64_t i64 = 0;  // kI64; kBits as 0 or 1
  uint64_t u64 = 0;
  double f64 = 0;
  std::string text;
  std::vector<Constant> items;  // kList

  // Equal bytes exactly for equal values (floats bit for bit), for sharing and for prepared keys.
  [[nodiscard]] std::string Key() const;
};

Storage StorageOf(const DataType& type);

enum class IrOp : uint8_t {
  kInput,  // index: of the field
  kAsOf,   // the timestamp that current_date and now() read
  kConstant,
  kKernel,
  kAlias,  // the argument's register under another type
};

// Which arguments run only for some rows: the branch not taken is neither counted nor, where no row takes it, run.
enum class Branching : uint8_t {
  kNone,
  kSelect,    // (c, a, b): a where c is true, b where it is not
  kAnd,       // (a, b): b where a is not false
  kOr,        // (a, b): b where a is not true
  kCoalesce,  // (a, b): b where a is null
};

struct IrNode {
  IrOp op = IrOp::kConstant;
  DataType type;
  Branching branching = Branching::kNone;
  bool worth_guarding = false;  // it or something below it can fail or is costly
  bool literal = false;         // a number as written: its type adapts where the value fits
  bool untyped_null = false;    // the word null
  bool clock = false;           // depends on as_of
  uint32_t index = 0;
  Kernel kernel = nullptr;
  std::vector<IrId> arguments;
  std::shared_ptr<const void> aux;
  std::string name;  // of the operation, for Disassemble
  Constant constant;
};

// Appends nodes, giving the existing one for equal content and folding kernels over constants.
class IrGraph {
 public:
  explicit IrGraph(std::size_t limit) : limit_(limit) {}

  [[nodiscard]] const IrNode& operator[](IrId id) const { return nodes_[id]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] bool over_limit() const { return nodes_.size() > limit_; }

  IrId Input(uint32_t index, const DataType& type);
  IrId AsOf();
  IrId MakeConstant(const DataType& type, Constant value, bool literal = false);
  IrId Null(const DataType& type) { return MakeConstant(type, {}); }
  IrId UntypedNull();
  IrId Alias(IrId argument, const DataType& type);

  struct KernelNode {
    std::string_view name;
    DataType type;
    Kernel kernel = nullptr;
    std::vector<IrId> arguments = {};
    Branching branching = Branching::kNone;
    bool worth_guarding = false;
    bool foldable = true;  // false: depends on more than its arguments
    std::shared_ptr<const void> aux = nullptr;
    std::string aux_key = {};  // equal for equal aux
  };
  IrId Add(KernelNode node);

 private:
  IrId Intern(std::string key, IrNode node);
  std::optional<Constant> Fold(const KernelNode& node) const;

  std::size_t limit_;
  std::deque<IrNode> nodes_;  // references stay while it grows
  std::map<std::string, IrId> by_content_;
};

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
