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

void LoadDatum(const Datum& datum, TypeId type, void* to) {
  switch (type) {
    case TypeId::kBool:
      return Put(to, static_cast<uint64_t>(datum.b));
    case TypeId::kInt32:
    case TypeId::kDate:
      return Put(to, static_cast<int64_t>(datum.i32));
    case TypeId::kFloat32:
      return Put(to, static_cast<double>(datum.f32));
    case TypeId::kUint64:
      return Put(to, datum.u64);
    case TypeId::kFloat64:
      return Put(to, datum.f64);
    case TypeId::kString:
    case TypeId::kBytes:
      return Put(to, datum.text);
    case TypeId::kVector:
      return Put(to, datum.fixed);
    case TypeId::kList:
      return Put(to, datum.list);
    default:
      return Put(to, datum.i64);
  }
}

Datum StoreDatum(const Register& from, TypeId type) {
  if (from.valid != nullptr && (from.valid[0] & 1U) == 0) return Datum::Null();
  switch (type) {
    case TypeId::kBool:
      return Datum::Bool((Get<uint64_t>(from.data) & 1U) != 0);
    case TypeId::kInt32:
    case TypeId::kDate:
      return Datum::Int32(static_cast<int32_t>(Get<int64_t>(from.data)));
    case TypeId::kFloat32: {  // every computed NaN leaves as one, as in the batch driver
      const float value = static_cast<float>(Get<double>(from.data));
      return Datum::Float32(value != value ? std::numeric_limits<float>::quiet_NaN() : value);
    }
    case TypeId::kUint64:
      return Datum::Uint64(Get<uint64_t>(from.data));
    case TypeId::kFloat64: {
      const auto value = Get<double>(from.data);
      return Datum::Float64(value != value ? std::numeric_limits<double>::quiet_NaN() : value);
    }
    case TypeId::kString:
    case TypeId::kBytes: {
      const auto text = Get<TextRef>(from.data);
      return Datum::Text({text.data, text.size});
    }
    case TypeId::kVector:
      return Datum::Fixed(Get<const void*>(from.data));
    case TypeId::kList:
      return Datum::List(Get<ListRef>(from.data));
    default:
      return Datum::Int64(Get<int64_t>(from.data));
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
    transform::Register& to = scratch.registers[program.input_registers[i]];
    if (inputs[i].valid) {
      to.valid = nullptr;
      transform::LoadDatum(inputs[i], program.inputs[i].type.id(), to.data);
    } else {
      to.valid = &scratch.no_row;
    }
  }
  if (program.as_of_register != transform::kNoRegister) {
    transform::Register& clock = scratch.registers[program.as_of_register];
    clock.valid = nullptr;
    transform::Put(clock.data, as_of.us);
  }
  scratch.Run(program, 1);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const transform::OutputPlan& plan = program.output_plans[i];
    outputs[i] = plan.direct_input >= 0
                     ? inputs[static_cast<std::size_t>(plan.direct_input)]
                     : transform::StoreDatum(scratch.registers[plan.register_index],
                                             program.outputs[i].type.id());
  }
}

const EvalCounts& RowEvaluator::counts() const { return scratch_->counts; }
void RowEvaluator::ResetCounts() { scratch_->counts = {}; }

}  // namespace larder::inline LARDER_ABI
