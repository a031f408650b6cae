// The row driver: the same kernels over one row, in memory that was laid out once.
#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "larder/base/text.h"
#include "larder/transform/program.h"
#include "transform/program_impl.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

template <class T>
void Put(void* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}
template <class T>
T Get(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

// Whatever lies under a null is loaded too: one branch less, and kernels expect anything there.
void LoadDatum(const Datum& datum, TypeId type, void* to) {
  switch (type) {
    case TypeId::kBool: {
      const auto byte = Get<uint8_t>(&datum.b);
      return Put(to, static_cast<uint64_t>(byte & 1U));
    }
    case TypeId::kInt32:
    case TypeId::kDate:
      return Put(to, static_cast<int64_t>(Get<int32_t>(&datum.i32)));
    case TypeId::kFloat32:
      return Put(to, static_cast<double>(Get<float>(&datum.f32)));
    case TypeId::kString:
    case TypeId::kBytes:
      return Put(to, Get<TextRef>(&datum.text));
    case TypeId::kList:
      return Put(to, Get<ListRef>(&datum.list));
    default:  // 8 bytes as they are
      return Put(to, Get<uint64_t>(&datum.u64));
  }
}

// Written in place: a Datum built and then copied would be read back before its parts have left the store buffer.
void StoreDatum(const Register& from, TypeId type, Datum* to) {
  to->valid = from.valid == nullptr || (from.valid[0] & 1U) != 0;
  switch (type) {
    case TypeId::kBool:
      to->b = (Get<uint64_t>(from.data) & 1U) != 0;
      return;
    case TypeId::kInt32:
    case TypeId::kDate:
      to->i32 = static_cast<int32_t>(Get<int64_t>(from.data));
      return;
    case TypeId::kFloat32: {  // every computed NaN leaves as one, as in the batch driver
      const double wide = Get<double>(from.data);
      const auto value = to->valid ? static_cast<float>(wide) : 0.0F;
      to->f32 = value != value ? std::numeric_limits<float>::quiet_NaN() : value;
      return;
    }
    case TypeId::kFloat64: {
      const auto value = Get<double>(from.data);
      to->f64 = value != value ? std::numeric_limits<double>::quiet_NaN() : value;
      return;
    }
    case TypeId::kString:
    case TypeId::kBytes:
      if (to->valid) to->text = Get<TextRef>(from.data);
      return;
    case TypeId::kList:
      if (to->valid) to->list = Get<ListRef>(from.data);
      return;
    default:
      to->u64 = Get<uint64_t>(from.data);
      return;
  }
}

}  // namespace
}  // namespace transform

RowEvaluator::RowEvaluator(const Program& program)
    : program_(program), scratch_(std::make_unique<transform::Scratch>(*program.impl_, 1)) {}
RowEvaluator::RowEvaluator(RowEvaluator&&) noexcept = default;
RowEvaluator& RowEvaluator::operator=(RowEvaluator&&) noexcept = default;
RowEvaluator::~RowEvaluator() = default;

void RowEvaluator::Evaluate(std::span<const Datum> inputs, Timestamp as_of,
                            std::span<Datum> outputs) {
  const transform::ProgramImpl& program = *program_.impl_;
  LARDER_DCHECK(inputs.size() == program.inputs.size());
  LARDER_DCHECK(outputs.size() == program.outputs.size());
  transform::Scratch& scratch = *scratch_;
  scratch.arena.Reset();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const transform::InputPlan& plan = program.input_plans[i];
    const transform::Register& to = scratch.registers[plan.register_index];
    to.storage[0] = static_cast<uint64_t>(inputs[i].valid);
    transform::LoadDatum(inputs[i], plan.type, to.data);
  }
  if (program.as_of_register != transform::kNoRegister) {
    transform::Register& clock = scratch.registers[program.as_of_register];
    clock.valid = nullptr;
    transform::Put(clock.data, as_of.us);
  }
  scratch.RunRow(program);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const transform::OutputPlan& plan = program.output_plans[i];
    if (plan.direct_input >= 0) {
      outputs[i] = inputs[static_cast<std::size_t>(plan.direct_input)];
    } else {
      transform::StoreDatum(scratch.registers[plan.register_index], plan.type, &outputs[i]);
    }
  }
}

const EvalCounts& RowEvaluator::counts() const { return scratch_->counts; }
void RowEvaluator::ResetCounts() { scratch_->counts = {}; }

}  // namespace larder::inline LARDER_ABI
