// The chunk driver: the kernels over a few rows, whose registers the caller
// fills and reads.
#include <algorithm>
#include <bit>
#include <limits>

#include "larder/transform/chunk_evaluator.h"
#include "transform/program_impl.h"

namespace larder::inline LARDER_ABI {
namespace {

using transform::InputPlan;
using transform::OutputPlan;
using transform::Register;

bool IsWord(TypeId type) {
  return type == TypeId::kFloat64 || type == TypeId::kInt64 || type == TypeId::kUint64 ||
         type == TypeId::kTimestamp || type == TypeId::kDuration;
}

void PutBit(uint64_t* words, std::size_t i, bool value) {
  const uint64_t bit = uint64_t{1} << (i % 64);
  words[i / 64] = value ? words[i / 64] | bit : words[i / 64] & ~bit;
}
bool BitAt(const uint64_t* words, std::size_t i) { return ((words[i / 64] >> (i % 64)) & 1U) != 0; }

double OneNan(double value) {
  return value != value ? std::numeric_limits<double>::quiet_NaN() : value;
}

// A conversion makes a signalling NaN quiet; an input that is passed on keeps its bits.
double WidenBits(float value) {
  if (value == value) return static_cast<double>(value);
  const auto bits = std::bit_cast<uint32_t>(value);
  return std::bit_cast<double>(static_cast<uint64_t>(bits & 0x80000000U) << 32U |
                               uint64_t{0x7FF} << 52U |
                               static_cast<uint64_t>(bits & 0x7FFFFFU) << 29U);
}
float NarrowBits(double value) {
  if (value == value) return static_cast<float>(value);
  const auto bits = std::bit_cast<uint64_t>(value);
  return std::bit_cast<float>(static_cast<uint32_t>(bits >> 32U & 0x80000000U) | 0x7F800000U |
                              static_cast<uint32_t>(bits >> 29U & 0x7FFFFFU));
}

// Entry `i` of a register that holds values of `type` widened. `computed`: not
// an input passed on bit for bit.
Datum DatumAt(const Register& from, TypeId type, std::size_t i, bool computed) {
  const auto word = [&from, i] { return static_cast<const uint64_t*>(from.data)[i]; };
  switch (type) {
    case TypeId::kBool:
      return Datum::Bool(BitAt(static_cast<const uint64_t*>(from.data), i));
    case TypeId::kInt32:
    case TypeId::kDate:
      return Datum::Int32(static_cast<int32_t>(static_cast<const int64_t*>(from.data)[i]));
    case TypeId::kFloat32: {
      const double wide = static_cast<const double*>(from.data)[i];
      return Datum::Float32(computed ? static_cast<float>(OneNan(wide)) : NarrowBits(wide));
    }
    case TypeId::kFloat64: {
      const double value = static_cast<const double*>(from.data)[i];
      return Datum::Float64(computed ? OneNan(value) : value);
    }
    case TypeId::kString:
    case TypeId::kBytes: {
      const TextRef text = static_cast<const TextRef*>(from.data)[i];
      return Datum::Text({text.data, text.size});
    }
    case TypeId::kVector:
      return Datum::Fixed(static_cast<const void* const*>(from.data)[i]);
    case TypeId::kList:
      return Datum::List(static_cast<const ListRef*>(from.data)[i]);
    default:
      return Datum::Uint64(word());
  }
}

}  // namespace

ChunkEvaluator::ChunkEvaluator(const Program& program, std::size_t rows_max)
    : program_(program), scratch_(std::make_unique<transform::Scratch>(*program.impl_, rows_max)) {
  LARDER_DCHECK(rows_max > 0 && rows_max <= transform::kChunkRows);
}
ChunkEvaluator::ChunkEvaluator(ChunkEvaluator&&) noexcept = default;
ChunkEvaluator& ChunkEvaluator::operator=(ChunkEvaluator&&) noexcept = default;
ChunkEvaluator::~ChunkEvaluator() = default;

void ChunkEvaluator::SetInput(std::size_t input, std::size_t row, const Datum& value) {
  const InputPlan& plan = program_.impl_->input_plans[input];
  const Register& to = scratch_->registers[plan.register_index];
  PutBit(to.storage, row, value.valid);
  // Nothing under a null is looked at but fixed bytes, which kernels may read
  // whatever they are.
  const Datum zero = Datum::Uint64(0);
  const Datum& from = value.valid ? value : zero;
  switch (plan.type) {
    case TypeId::kBool:
      return PutBit(static_cast<uint64_t*>(to.data), row, value.valid && value.b);
    case TypeId::kInt32:
    case TypeId::kDate:
      static_cast<int64_t*>(to.data)[row] = value.valid ? value.i32 : 0;
      return;
    case TypeId::kFloat32:
      static_cast<double*>(to.data)[row] = value.valid ? WidenBits(value.f32) : 0;
      return;
    case TypeId::kString:
    case TypeId::kBytes:
      static_cast<TextRef*>(to.data)[row] = value.valid ? value.text : TextRef{nullptr, 0};
      return;
    case TypeId::kVector:
      static_cast<const void**>(to.data)[row] = value.valid ? value.fixed : nullptr;
      return;
    case TypeId::kList:
      static_cast<ListRef*>(to.data)[row] = value.valid ? value.list : ListRef{};
      return;
    default:
      static_cast<uint64_t*>(to.data)[row] = from.u64;
      return;
  }
}

ChunkEvaluator::Words ChunkEvaluator::InputWords(std::size_t input) {
  const InputPlan& plan = program_.impl_->input_plans[input];
  if (!IsWord(plan.type)) return {};
  const Register& to = scratch_->registers[plan.register_index];
  return {static_cast<uint64_t*>(to.data), to.storage};
}

void ChunkEvaluator::Evaluate(std::size_t rows, Timestamp as_of) {
  const transform::ProgramImpl& program = *program_.impl_;
  transform::Scratch& scratch = *scratch_;
  scratch.arena.Reset();
  if (program.as_of_register != transform::kNoRegister) {
    Register& clock = scratch.registers[program.as_of_register];
    clock.valid = nullptr;
    std::fill_n(static_cast<int64_t*>(clock.data), rows, as_of.us);
  }
  scratch.Run(program, rows);
}

Datum ChunkEvaluator::Output(std::size_t output, std::size_t row) const {
  const transform::ProgramImpl& program = *program_.impl_;
  const OutputPlan& plan = program.output_plans[output];
  const bool direct = plan.direct_input >= 0;
  const uint32_t index =
      direct ? program.input_plans[static_cast<std::size_t>(plan.direct_input)].register_index
             : plan.register_index;
  const Register& from = scratch_->registers[index];
  if (from.valid != nullptr && !BitAt(from.valid, row)) return Datum::Null();
  return DatumAt(from, plan.type, plan.constant ? 0 : row, !direct);
}

ChunkEvaluator::Doubles ChunkEvaluator::OutputDoubles(std::size_t output) const {
  const OutputPlan& plan = program_.impl_->output_plans[output];
  if (plan.type != TypeId::kFloat64 || plan.constant || plan.direct_input >= 0) return {};
  const Register& from = scratch_->registers[plan.register_index];
  return {static_cast<const double*>(from.data), from.valid};
}

}  // namespace larder::inline LARDER_ABI
