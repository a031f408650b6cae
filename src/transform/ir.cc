#include "transform/ir.h"

#include <algorithm>
#include <cstring>

#include "larder/base/bytes.h"
#include "transform/constant_pool.h"

namespace larder::inline LARDER_ABI {
namespace transform {

Storage StorageOf(const DataType& type) {
  switch (type.id()) {
    case TypeId::kBool:
      return Storage::kBits;
    case TypeId::kUint64:
      return Storage::kU64;
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return Storage::kF64;
    case TypeId::kString:
    case TypeId::kBytes:
      return Storage::kText;
    case TypeId::kVector:
      return Storage::kFixed;
    case TypeId::kList:
    case TypeId::kMap:
      return Storage::kList;
    default:
      return Storage::kI64;
  }
}

std::string Constant::Key() const {
  ByteWriter out;
  out.Put(static_cast<uint8_t>(valid));
  if (valid) {
    out.Put(i64);
    out.Put(u64);
    out.Put(f64);
    out.PutText(text);
    out.Put(static_cast<uint32_t>(items.size()));
    for (const Constant& item : items) out.PutText(item.Key());
  }
  return std::move(out).Take();
}

IrId IrGraph::Intern(std::string key, IrNode node) {
  const auto [at, inserted] =
      by_content_.try_emplace(std::move(key), static_cast<IrId>(nodes_.size()));
  if (inserted) nodes_.push_back(std::move(node));
  return at->second;
}

IrId IrGraph::Input(uint32_t index, const DataType& type) {
  IrNode node;
  node.op = IrOp::kInput;
  node.type = type;
  node.index = index;
  return Intern(Concat("input ", index), std::move(node));
}

IrId IrGraph::AsOf() {
  IrNode node;
  node.op = IrOp::kAsOf;
  node.type = TypeId::kTimestamp;
  node.clock = true;
  return Intern("as_of", std::move(node));
}

IrId IrGraph::MakeConstant(const DataType& type, Constant value, bool literal) {
  IrNode node;
  node.op = IrOp::kConstant;
  node.type = type;
  node.literal = literal;
  std::string key = Concat("constant ", type.ToString(), literal ? " literal " : " ", value.Key());
  node.constant = std::move(value);
  return Intern(std::move(key), std::move(node));
}

IrId IrGraph::UntypedNull() {
  IrNode node;
  node.op = IrOp::kConstant;
  node.type = TypeId::kBool;
  node.untyped_null = true;
  return Intern("null", std::move(node));
}

IrId IrGraph::Alias(IrId argument, const DataType& type) {
  if (nodes_[argument].type == type) return argument;
  if (nodes_[argument].op == IrOp::kConstant) {
    return nodes_[argument].untyped_null ? Null(type)
                                         : MakeConstant(type, nodes_[argument].constant);
  }
  IrNode node;
  node.op = IrOp::kAlias;
  node.type = type;
  node.arguments = {argument};
  node.clock = nodes_[argument].clock;
  node.worth_guarding = nodes_[argument].worth_guarding;
  return Intern(Concat("alias ", type.ToString(), " ", argument), std::move(node));
}

// Runs the very kernel over one row. A row that a rule makes null is left to run time, where it is counted.
std::optional<Constant> IrGraph::Fold(const KernelNode& node) const {
  ConstantPool pool;
  std::vector<Register> registers;
  std::vector<uint32_t> arguments;
  for (const IrId id : node.arguments) {
    arguments.push_back(static_cast<uint32_t>(registers.size()));
    registers.push_back(pool.Add(nodes_[id].type, nodes_[id].constant));
  }
  alignas(16) unsigned char data[64] = {};
  uint64_t valid = 0;
  registers.push_back({data, nullptr, &valid});
  TextArena arena;
  EvalCounts counts;
  Frame frame = {registers.data(), 1, 1, 1, &arena, &counts};
  Instruction instruction;
  instruction.kernel = node.kernel;
  instruction.out = static_cast<uint32_t>(registers.size() - 1);
  FinishArguments(
      &arguments, [](uint32_t) { return true; }, &instruction);
  instruction.aux = node.aux.get();
  node.kernel(instruction, frame);
  if (counts.total() != 0) return std::nullopt;

  const Register& out = registers.back();
  Constant result;
  result.valid = out.valid == nullptr || (out.valid[0] & 1U) != 0;
  if (!result.valid) return result;
  switch (StorageOf(node.type)) {
    case Storage::kBits:
      result.i64 = static_cast<int64_t>(LoadAs<uint64_t>(out.data) & 1U);
      break;
    case Storage::kI64:
      result.i64 = LoadAs<int64_t>(out.data);
      break;
    case Storage::kU64:
      result.u64 = LoadAs<uint64_t>(out.data);
      break;
    case Storage::kF64:
      result.f64 = LoadAs<double>(out.data);
      break;
    case Storage::kText: {
      const auto text = LoadAs<TextRef>(out.data);
      result.text.assign(text.data, text.size);
      break;
    }
    case Storage::kFixed:
    case Storage::kList:
      return std::nullopt;
  }
  return result;
}

IrId IrGraph::Add(KernelNode node) {
  std::string key = Concat("kernel ", node.type.ToString(), " ",
                           reinterpret_cast<uintptr_t>(node.kernel), " ", node.name);
  bool all_constant = true;
  IrNode result;
  for (const IrId id : node.arguments) {
    key += Concat(" ", id);
    all_constant = all_constant && nodes_[id].op == IrOp::kConstant;
    result.worth_guarding = result.worth_guarding || nodes_[id].worth_guarding;
    result.clock = result.clock || nodes_[id].clock;
  }
  key += Concat(" aux ", node.aux_key);
  if (all_constant && node.foldable && !node.arguments.empty()) {
    if (std::optional<Constant> folded = Fold(node))
      return MakeConstant(node.type, *std::move(folded));
  }
  result.op = IrOp::kKernel;
  result.type = node.type;
  result.branching = node.branching;
  result.worth_guarding = result.worth_guarding || node.worth_guarding;
  result.kernel = node.kernel;
  result.arguments = std::move(node.arguments);
  result.aux = std::move(node.aux);
  result.name = std::string(node.name);
  return Intern(std::move(key), std::move(result));
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
