// Gives every node of a syntax tree its type and its operation: tree in, shared typed graph out.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/definitions.h"
#include "larder/transform/expression.h"
#include "larder/transform/fitted.h"
#include "transform/ast.h"
#include "transform/builtin.h"
#include "transform/ir.h"

namespace larder::inline LARDER_ABI {
namespace transform {

class Analyzer {
 public:
  Analyzer(IrGraph* graph, std::span<const Field> inputs, const CompileOptions& options)
      : graph_(*graph), inputs_(inputs), options_(options) {}

  // Errors: kInvalidArgument with a caret.
  absl::StatusOr<IrId> Lower(const Ast& ast);

  // `name@version#hash` of the C++ functions met so far; and that of the function or the fitted constants `node` names.
  [[nodiscard]] const std::vector<std::string>& functions() const { return functions_; }
  [[nodiscard]] std::string_view NoteOf(NodeId node) const { return notes_[node]; }
  // What a node of the tree lowered last became; kNoIr: the name of fitted constants, which are no value.
  [[nodiscard]] IrId IrOf(NodeId node) const { return lowered_[node]; }

  // Whether the language itself reads a call of `name` (in lower case): no C++ function of that name is ever found.
  static bool IsTaken(std::string_view name);

 private:
  using Ids = std::vector<IrId>;
  absl::StatusOr<IrId> LowerNode(NodeId id);
  absl::StatusOr<IrId> LowerColumn(NodeId id, const Node& node);
  absl::StatusOr<IrId> LowerList(const Node& node);
  absl::StatusOr<IrId> LowerCase(const Node& node);
  absl::StatusOr<IrId> LowerCast(const Node& node, IrId operand, std::string_view type_name,
                                 bool lenient);
  absl::StatusOr<IrId> LowerCall(NodeId id, const Node& node);
  absl::StatusOr<IrId> LowerNegation(const Node& node, IrId operand);
  absl::StatusOr<IrId> LowerIn(const Node& node, const Ids& arguments);
  // subject = item or ...: null where none is equal and one is null.
  absl::StatusOr<IrId> AnyEqual(const Node& node, IrId subject, const Ids& items);
  absl::StatusOr<IrId> LowerCoalesce(const Node& node, Ids arguments);
  absl::StatusOr<IrId> LowerNullIf(const Node& node, const Ids& arguments);
  absl::StatusOr<IrId> LowerExtreme(const Node& node, Ids arguments, bool greatest);
  absl::StatusOr<IrId> LowerDistinct(const Node& node, const Ids& arguments);
  absl::StatusOr<IrId> LowerClock(const Node& node, const Ids& arguments, bool date);
  absl::StatusOr<IrId> LowerUserCall(NodeId id, const Node& node, const Ids& arguments);
  // Functions made of others: kNoIr when `name` is none.
  absl::StatusOr<IrId> LowerComposite(std::string_view name, const Node& node, const Ids& arguments);
  absl::StatusOr<IrId> LowerHashBucket(const Node& node, const Ids& arguments);
  absl::StatusOr<IrId> LowerFitted(std::string_view name, const Node& node);
  absl::Status RefuseFitted(const Node& node) const;
  static bool IsComposite(std::string_view name);
  static bool TakesFitted(std::string_view name);
  static std::vector<std::string> AllNames();
  IrId Number(double value);
  absl::StatusOr<IrId> Resolve(std::string_view name, const Node& node, const Ids& arguments);
  absl::StatusOr<IrId> Apply(const Builtin& builtin, const Node& node, const Ids& arguments);

  // A cheaper form of the same call, or kNoIr.
  IrId Fused(const Builtin& builtin, const Ids& arguments);

  // How far `id` is from `type`: 0 the same, more for each widening, none where only a cast would do.
  std::optional<int> Distance(IrId id, const DataType& type) const;
  // Requires: Distance has a value, or a literal that turns out malformed (an error with the place).
  absl::StatusOr<IrId> Convert(IrId id, const DataType& type, const Node& node);
  IrId CastTo(IrId id, const DataType& type, const CastKernel& cast);
  // The one type all of `ids` convert to.
  absl::StatusOr<DataType> CommonType(const Node& node, const Ids& ids, std::string_view what);
  std::optional<DataType> Join(const DataType& a, bool a_literal, const DataType& b,
                               bool b_literal) const;

  absl::Status Error(const Node& node, std::string_view message) const;
  // The text is good, but what it names is not here: kFailedPrecondition.
  absl::Status Missing(const Node& node, std::string_view message) const;
  std::string Describe(IrId id) const;
  std::string DescribeAll(const Ids& ids) const;

  IrGraph& graph_;
  std::span<const Field> inputs_;
  const CompileOptions& options_;
  const Ast* ast_ = nullptr;
  Ids lowered_;
  std::vector<std::string> notes_;
  std::vector<std::string> functions_;
  std::map<NodeId, std::shared_ptr<const FittedEntry>> fitted_;
};

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
