#include "transform/codegen.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>

#include "transform/builtin.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

using GuardId = uint32_t;
constexpr GuardId kEverywhere = 0;

struct Guard {
  GuardId parent = kEverywhere;
  IrId condition = kNoIr;
  GuardKind kind = GuardKind::kTrue;
  uint32_t depth = 0;
};

std::size_t RegisterClass(Storage storage) {
  switch (storage) {
    case Storage::kBits:
      return 0;
    case Storage::kText:
      return 2;
    case Storage::kList:
      return 3;
    default:
      return 1;
  }
}

bool Holds(GuardKind kind, const Constant& condition) {
  switch (kind) {
    case GuardKind::kTrue:
      return condition.valid && condition.i64 != 0;
    case GuardKind::kNotTrue:
      return !condition.valid || condition.i64 == 0;
    case GuardKind::kNotFalse:
      return !condition.valid || condition.i64 != 0;
    case GuardKind::kNull:
      return !condition.valid;
  }
  return true;
}

class Generator {
 public:
  Generator(const IrGraph& graph, std::span<const IrId> roots, std::span<const std::string> names,
            std::span<const Field> inputs)
      : graph_(graph),
        roots_(roots),
        names_(names),
        inputs_(inputs),
        program_(std::make_shared<ProgramImpl>()) {}

  std::shared_ptr<ProgramImpl> Run() {
    PlaceGuards();
    Schedule();
    FindLastUses();
    AssignInputs();
    for (const Step& step : steps_) Emit(step);
    MarkSkips();
    AssignOutputs();
    return program_;
  }

 private:
  // One instruction to be: a node's kernel, or a guard's bits.
  struct Step {
    bool is_guard = false;
    uint32_t id = 0;
  };

  IrId Resolved(IrId id) const {
    while (graph_[id].op == IrOp::kAlias) id = graph_[id].arguments[0];
    return id;
  }

  // --- which rows each node is needed for --------------------------------------------------------------------------
  // Users come after what they use, so one pass downwards meets all users of a node before the node.
  void PlaceGuards() {
    guards_.push_back({});
    guard_of_.assign(graph_.size(), std::nullopt);
    for (const IrId root : roots_) guard_of_[root] = kEverywhere;
    for (IrId id = static_cast<IrId>(graph_.size()); id-- > 0;) {
      if (!guard_of_[id].has_value()) continue;
      const IrNode& node = graph_[id];
      for (std::size_t i = 0; i < node.arguments.size(); ++i) {
        Need(node.arguments[i], GuardForArgument(node, i, *guard_of_[id]));
      }
    }
  }

  void Need(IrId id, GuardId guard) {
    guard_of_[id] = guard_of_[id].has_value() ? CommonAncestor(*guard_of_[id], guard) : guard;
  }

  GuardId CommonAncestor(GuardId a, GuardId b) const {
    while (a != b) {
      if (guards_[a].depth >= guards_[b].depth) {
        a = guards_[a].parent;
      } else {
        b = guards_[b].parent;
      }
    }
    return a;
  }

  GuardId GuardForArgument(const IrNode& node, std::size_t i, GuardId outer) {
    if (!graph_[node.arguments[i]].worth_guarding) return outer;
    std::optional<GuardKind> kind;
    if (node.branching == Branching::kSelect && i == 1) kind = GuardKind::kTrue;
    if (node.branching == Branching::kSelect && i == 2) kind = GuardKind::kNotTrue;
    if (node.branching == Branching::kAnd && i == 1) kind = GuardKind::kNotFalse;
    if (node.branching == Branching::kOr && i == 1) kind = GuardKind::kNotTrue;
    if (node.branching == Branching::kCoalesce && i == 1) kind = GuardKind::kNull;
    if (!kind.has_value()) return outer;
    const IrNode& condition = graph_[node.arguments[0]];
    if (condition.op == IrOp::kConstant && Holds(*kind, condition.constant)) return outer;
    const auto key = std::make_tuple(outer, node.arguments[0], *kind);
    const auto [at, inserted] = guard_ids_.try_emplace(key, static_cast<GuardId>(guards_.size()));
    if (inserted) guards_.push_back({outer, node.arguments[0], *kind, guards_[outer].depth + 1});
    return at->second;
  }

  // --- order -------------------------------------------------------------------------------------------------------
  // Depth first with its own stack: a graph may be deeper than the thread's.
  void Schedule() {
    std::vector<bool> node_done(graph_.size(), false);
    std::vector<bool> guard_done(guards_.size(), false);
    guard_done[kEverywhere] = true;
    std::vector<Step> stack;
    for (const IrId root : roots_) {
      stack.push_back({false, root});
      while (!stack.empty()) {
        const Step top = stack.back();
        if (top.is_guard ? guard_done[top.id] : node_done[top.id]) {
          stack.pop_back();
          continue;
        }
        const std::size_t before = stack.size();
        if (top.is_guard) {
          const Guard& guard = guards_[top.id];
          if (!node_done[guard.condition]) stack.push_back({false, guard.condition});
          if (!guard_done[guard.parent]) stack.push_back({true, guard.parent});
        } else {
          const IrNode& node = graph_[top.id];
          for (std::size_t i = node.arguments.size(); i-- > 0;) {
            if (!node_done[node.arguments[i]]) stack.push_back({false, node.arguments[i]});
          }
          const GuardId guard = node.op == IrOp::kKernel ? *guard_of_[top.id] : kEverywhere;
          if (!guard_done[guard]) stack.push_back({true, guard});
        }
        if (stack.size() != before) continue;
        stack.pop_back();
        if (top.is_guard) {
          guard_done[top.id] = true;
          steps_.push_back(top);
        } else {
          node_done[top.id] = true;
          if (graph_[top.id].op == IrOp::kKernel) steps_.push_back(top);
          if (graph_[top.id].op != IrOp::kKernel && graph_[top.id].op != IrOp::kAlias)
            leaves_.push_back(top.id);
        }
      }
    }
  }

  // --- registers ---------------------------------------------------------------------------------------------------
  template <class Each>
  void ForEachUse(const Step& step, Each each) const {
    if (step.is_guard) {
      const Guard& guard = guards_[step.id];
      each(Step{false, Resolved(guard.condition)});
      if (guard.parent != kEverywhere) each(Step{true, guard.parent});
      return;
    }
    for (const IrId id : graph_[step.id].arguments) each(Step{false, Resolved(id)});
    if (*guard_of_[step.id] != kEverywhere) each(Step{true, *guard_of_[step.id]});
  }

  void FindLastUses() {
    node_last_.assign(graph_.size(), 0);
    guard_last_.assign(guards_.size(), 0);
    for (std::size_t at = 0; at < steps_.size(); ++at) {
      ForEachUse(steps_[at], [&](const Step& used) {
        (used.is_guard ? guard_last_ : node_last_)[used.id] = at;
      });
    }
    for (const IrId root : roots_) node_last_[Resolved(root)] = steps_.size();
  }

  uint32_t NewRegister(Storage storage) {
    std::vector<uint32_t>& free = free_[RegisterClass(storage)];
    if (!free.empty()) {
      const uint32_t reused = free.back();
      free.pop_back();
      return reused;
    }
    program_->registers.push_back({storage, false, {}});
    return static_cast<uint32_t>(program_->registers.size() - 1);
  }

  // Inputs, constants and the clock have registers of their own for the whole run.
  void AssignInputs() {
    node_register_.assign(graph_.size(), kNoRegister);
    guard_register_.assign(guards_.size(), kNoRegister);
    std::vector<IrId> used;
    for (const IrId id : leaves_) {
      const IrNode& node = graph_[id];
      if (node.op == IrOp::kInput) {
        used.push_back(id);
        continue;
      }
      node_register_[id] = static_cast<uint32_t>(program_->registers.size());
      RegisterPlan plan;
      plan.storage = StorageOf(node.type);
      if (node.op == IrOp::kConstant) {
        plan.constant = true;
        plan.fixed = program_->constants.Add(node.type, node.constant);
      } else {
        program_->as_of_register = node_register_[id];
      }
      program_->registers.push_back(plan);
    }
    std::sort(used.begin(), used.end(),
              [this](IrId a, IrId b) { return graph_[a].index < graph_[b].index; });
    for (const IrId id : used) {
      input_position_[id] = static_cast<int32_t>(program_->inputs.size());
      program_->inputs.push_back(inputs_[graph_[id].index]);
      node_register_[id] = static_cast<uint32_t>(program_->registers.size());
      program_->input_plans.push_back({node_register_[id], graph_[id].type.id()});
      program_->registers.push_back({StorageOf(graph_[id].type), false, {}});
    }
  }

  void Emit(const Step& step) {
    const std::size_t at = emitted_++;
    Instruction instruction;
    program_->argument_lists.emplace_back();
    std::vector<uint32_t>& arguments = program_->argument_lists.back();
    if (step.is_guard) {
      const Guard& guard = guards_[step.id];
      instruction.kernel = GuardKernel(guard.kind);
      arguments.push_back(node_register_[Resolved(guard.condition)]);
      if (guard.parent != kEverywhere) arguments.push_back(guard_register_[guard.parent]);
      instruction.out = guard_register_[step.id] = NewRegister(Storage::kBits);
      static constexpr std::array<const char*, 4> kNames = {"guard true", "guard not true",
                                                            "guard not false", "guard null"};
      program_->instruction_names.emplace_back(kNames[static_cast<std::size_t>(guard.kind)]);
    } else {
      const IrNode& node = graph_[step.id];
      instruction.kernel = node.kernel;
      instruction.aux = node.aux.get();
      if (node.aux != nullptr) program_->prepared.push_back(node.aux);
      for (const IrId id : node.arguments) arguments.push_back(node_register_[Resolved(id)]);
      const GuardId guard = *guard_of_[step.id];
      if (guard != kEverywhere) instruction.guard = guard_register_[guard];
      instruction.out = node_register_[step.id] = NewRegister(StorageOf(node.type));
      program_->instruction_names.push_back(node.name);
    }
    FinishArguments(
        &arguments, [this](uint32_t index) { return program_->registers[index].constant; },
        &instruction);
    program_->instructions.push_back(instruction);
    Release(step, at);
  }

  // Only after the result has its register, so that it never is one of the arguments'.
  void Release(const Step& step, std::size_t at) {
    std::vector<uint32_t> released;
    const auto release = [&](const Step& used) {
      if ((used.is_guard ? guard_last_ : node_last_)[used.id] != at) return;
      if (!used.is_guard && graph_[used.id].op != IrOp::kKernel) return;
      const uint32_t index = used.is_guard ? guard_register_[used.id] : node_register_[used.id];
      if (std::find(released.begin(), released.end(), index) == released.end())
        released.push_back(index);
    };
    ForEachUse(step, release);
    for (const uint32_t index : released)
      free_[RegisterClass(program_->registers[index].storage)].push_back(index);
  }

  // A guard's register is written by the guard's own instruction only, which is never guarded itself and so ends a run.
  void MarkSkips() {
    std::vector<Instruction>& all = program_->instructions;
    for (std::size_t i = all.size(); i-- > 1;) {
      if (all[i - 1].guard != kNoRegister && all[i - 1].guard == all[i].guard)
        all[i - 1].skip = all[i].skip + 1;
    }
  }

  void AssignOutputs() {
    for (std::size_t i = 0; i < roots_.size(); ++i) {
      const IrId id = Resolved(roots_[i]);
      OutputPlan plan;
      plan.register_index = node_register_[id];
      plan.type = graph_[roots_[i]].type.id();
      plan.constant = graph_[id].op == IrOp::kConstant;
      if (graph_[id].op == IrOp::kInput && graph_[id].type == graph_[roots_[i]].type)
        plan.direct_input = input_position_[id];
      program_->output_plans.push_back(plan);
      Field field;
      field.name = names_[i];
      field.type = graph_[roots_[i]].type;
      program_->outputs.push_back(std::move(field));
    }
  }

  const IrGraph& graph_;
  std::span<const IrId> roots_;
  std::span<const std::string> names_;
  std::span<const Field> inputs_;
  std::shared_ptr<ProgramImpl> program_;

  std::vector<Guard> guards_;
  std::map<std::tuple<GuardId, IrId, GuardKind>, GuardId> guard_ids_;
  std::vector<std::optional<GuardId>> guard_of_;
  std::vector<Step> steps_;
  std::vector<IrId> leaves_;
  std::vector<std::size_t> node_last_;
  std::vector<std::size_t> guard_last_;
  std::vector<uint32_t> node_register_;
  std::vector<uint32_t> guard_register_;
  std::map<IrId, int32_t> input_position_;
  std::array<std::vector<uint32_t>, 4> free_;
  std::size_t emitted_ = 0;
};

}  // namespace

std::shared_ptr<ProgramImpl> Generate(const IrGraph& graph, std::span<const IrId> roots,
                                      std::span<const std::string> names,
                                      std::span<const Field> inputs) {
  return Generator(graph, roots, names, inputs).Run();
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
