// What a Program holds: instructions over registers, and where inputs enter and outputs leave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/transform/program.h"
#include "transform/constant_pool.h"
#include "transform/ir.h"
#include "transform/vm.h"

namespace larder::inline LARDER_ABI {
namespace transform {

struct RegisterPlan {
  Storage storage = Storage::kI64;
  bool constant = false;
  Register fixed;  // of a constant
};

struct InputPlan {
  uint32_t register_index = kNoRegister;  // its own for the whole run
  TypeId type = TypeId::kBool;            // of the field, kept where the row driver looks
};

struct OutputPlan {
  uint32_t register_index = kNoRegister;
  TypeId type = TypeId::kBool;
  bool constant = false;
  int32_t direct_input = -1;  // the output is this input, copied bit for bit
};

struct ProgramImpl {
  std::vector<Field> inputs;           // used ones
  std::vector<InputPlan> input_plans;  // one per input
  std::vector<Field> outputs;
  std::vector<OutputPlan> output_plans;
  std::vector<RegisterPlan> registers;
  std::vector<Instruction> instructions;
  std::vector<std::string> instruction_names;
  std::deque<std::vector<uint32_t>> argument_lists;   // what Instruction::arguments point into
  std::vector<std::shared_ptr<const void>> prepared;  // what Instruction::aux point at
  ConstantPool constants;
  std::vector<std::string> functions;
  uint32_t as_of_register = kNoRegister;
};

// Memory for every register of a program, `capacity` rows each, and the arena their texts live in.
struct Scratch {
  Scratch(const ProgramImpl& program, std::size_t capacity);
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // Runs all instructions over `n` loaded rows; stops, and gives false, where the arena is exhausted.
  bool Run(const ProgramImpl& program, std::size_t n);
  // The same over the one row of a scratch of capacity 1.
  void RunRow(const ProgramImpl& program);

  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte, Free> memory;
  std::vector<Register> registers;
  // Where registers of inputs keep converted values (they may also point straight at the caller's memory).
  std::vector<Register> own;
  TextArena arena;
  EvalCounts counts;
};

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
