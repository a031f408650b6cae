// The batch driver: columns in, columns out, a cache-sized chunk of rows at a time.
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "larder/base/float_environment.h"
#include "larder/base/text.h"
#include "larder/transform/program.h"
#include "transform/loops.h"
#include "transform/program_impl.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

uint64_t PackBools(const uint8_t* bytes, std::size_t count) {
  uint64_t word = 0;
  for (std::size_t j = 0; j < count; ++j) word |= static_cast<uint64_t>(bytes[j] & 1U) << j;
  return word;
}

template <class From, class To>
void Widen(const From* from, std::size_t n, void* to) {
  auto* out = static_cast<To*>(to);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<To>(from[i]);
}

// Points a register at rows [begin, begin + n) of a column, converting only what registers hold otherwise.
void LoadRows(const Column& column, bool has_nulls, std::size_t begin, std::size_t n,
              const Register& own, Register* to) {
  to->valid = has_nulls ? column.validity().words() + begin / 64 : nullptr;
  to->data = own.data;
  switch (column.type().id()) {
    case TypeId::kBool: {
      const uint8_t* from = column.Values<uint8_t>().data() + begin;
      auto* out = static_cast<uint64_t*>(own.data);
      for (std::size_t i = 0; i < n; i += 64)
        out[i / 64] = PackBools(from + i, std::min<std::size_t>(64, n - i));
      break;
    }
    case TypeId::kInt32:
    case TypeId::kDate:
      Widen<int32_t, int64_t>(column.Values<int32_t>().data() + begin, n, own.data);
      break;
    case TypeId::kFloat32:
      Widen<float, double>(column.Values<float>().data() + begin, n, own.data);
      break;
    case TypeId::kInt64:
    case TypeId::kTimestamp:
    case TypeId::kDuration:
    case TypeId::kUint64:
    case TypeId::kFloat64:
      // Kernels write results only; inputs are never written through this pointer.
      to->data = const_cast<std::byte*>(column.data().data() + begin * 8);
      break;
    case TypeId::kString:
    case TypeId::kBytes: {
      auto* out = static_cast<TextRef*>(own.data);
      const int64_t* offsets = column.offsets().data() + begin;
      const char* base = reinterpret_cast<const char*>(column.data().data());
      for (std::size_t i = 0; i < n; ++i)
        out[i] = {base + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i])};
      break;
    }
    case TypeId::kVector: {
      auto* out = static_cast<const void**>(own.data);
      const std::size_t width = column.type().byte_width();
      for (std::size_t i = 0; i < n; ++i) out[i] = column.data().data() + (begin + i) * width;
      break;
    }
    case TypeId::kList: {
      auto* out = static_cast<ListRef*>(own.data);
      const int64_t* offsets = column.offsets().data() + begin;
      const Column& child = *column.child();
      const int64_t* child_offsets = child.type().is_text() ? child.offsets().data() : nullptr;
      for (std::size_t i = 0; i < n; ++i) {
        out[i] = {child.data().data(), child_offsets, child.validity().words(),
                  static_cast<std::size_t>(offsets[i]),
                  static_cast<std::size_t>(offsets[i + 1] - offsets[i])};
      }
      break;
    }
    default:
      break;
  }
}

bool IsFixedWidth(const DataType& type) { return type.is_fixed_width(); }

// Rows under null become zero. Which of two NaN an addition passes on is the compiler's choice, so every computed NaN
// leaves as one.
template <class From, class To>
void StoreFixed(const Register& from, bool constant, std::size_t begin, std::size_t n, Column* out) {
  const auto* values = static_cast<const From*>(from.data);
  To* LARDER_RESTRICT to = out->MutableValues<To>().data() + begin;
  const uint64_t* valid = out->validity().words() + begin / 64;
  const std::size_t stride = constant ? 0 : 1;
  if constexpr (std::is_same_v<From, double> && std::is_same_v<To, double>)
    return StoreDoubles(values, stride, valid, n, to);
  using Bits = std::conditional_t<sizeof(To) == 8, uint64_t, uint32_t>;
  Widely([=]() LARDER_ALWAYS_INLINE {
    for (std::size_t w = 0; w * 64 < n; ++w) {
      const std::size_t base = w * 64;
      const std::size_t count = std::min<std::size_t>(64, n - base);
      const uint64_t rows = valid[w];
      for (std::size_t j = 0; j < count; ++j) {
        To value = static_cast<To>(values[stride * (base + j)]);
        if constexpr (std::is_floating_point_v<To>)
          value = value != value ? std::numeric_limits<To>::quiet_NaN() : value;
        const Bits mask = Bits{0} - static_cast<Bits>((rows >> j) & 1U);
        to[base + j] = std::bit_cast<To>(std::bit_cast<Bits>(value) & mask);
      }
    }
  });
}

// Eight bits to eight bytes of 0 or 1.
uint64_t SpreadBits(uint64_t eight) {
  const uint64_t own = (eight * 0x0101010101010101) & 0x8040201008040201;
  return ((own + 0x7F7F7F7F7F7F7F7F) >> 7U) & 0x0101010101010101;
}

void StoreRows(const Register& from, bool constant, std::size_t begin, std::size_t n, Column* out) {
  const DataType type = out->type();
  if (!IsFixedWidth(type)) {
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t at = constant ? 0 : i;
      const bool valid = from.valid == nullptr || TestBit(from.valid, i);
      if (!valid) {
        out->AppendNull();
      } else if (type.is_text()) {
        const TextRef text = static_cast<const TextRef*>(from.data)[at];
        out->AppendText({text.data, text.size});
      } else {
        // Lists leave an expression rarely and whole; the edge conversion serves.
        const Value value = ValueOf(Datum::List(static_cast<const ListRef*>(from.data)[at]), type);
        if (!out->Append(value).ok()) out->AppendNull();
      }
    }
    return;
  }
  out->ResizeFixed(
      begin + n);  // chunk by chunk: its zeros are still in the cache when they are written over
  uint64_t* words = out->mutable_validity().mutable_words() + begin / 64;
  for (std::size_t i = 0; i < n; i += 64) {
    const uint64_t rows = n - i >= 64 ? ~uint64_t{0} : (uint64_t{1} << (n - i)) - 1;
    words[i / 64] = (from.valid == nullptr ? ~uint64_t{0} : from.valid[i / 64]) & rows;
  }
  switch (type.id()) {
    case TypeId::kBool: {
      const auto* bits = static_cast<const uint64_t*>(from.data);
      uint8_t* to = out->MutableValues<uint8_t>().data() + begin;
      for (std::size_t i = 0; i < n; i += 8) {
        const uint64_t bytes = SpreadBits(((bits[i / 64] & words[i / 64]) >> (i % 64)) & 0xFFU);
        if (n - i >= 8 && std::endian::native == std::endian::little) {
          std::memcpy(to + i, &bytes, 8);
        } else {
          for (std::size_t j = i; j < std::min(n, i + 8); ++j)
            to[j] = static_cast<uint8_t>((bytes >> (8 * (j - i))) & 1U);
        }
      }
      break;
    }
    case TypeId::kInt32:
    case TypeId::kDate:
      StoreFixed<int64_t, int32_t>(from, constant, begin, n, out);
      break;
    case TypeId::kFloat32:
      StoreFixed<double, float>(from, constant, begin, n, out);
      break;
    case TypeId::kVector: {
      const auto* values = static_cast<const void* const*>(from.data);
      const std::size_t width = type.byte_width();
      std::byte* to = out->MutableValues<std::byte>().data() + begin * width;
      for (std::size_t i = 0; i < n; ++i) {
        if (TestBit(words, i)) std::memcpy(to + i * width, values[constant ? 0 : i], width);
      }
      break;
    }
    case TypeId::kFloat64:
      StoreFixed<double, double>(from, constant, begin, n, out);
      break;
    default:
      StoreFixed<uint64_t, uint64_t>(from, constant, begin, n, out);
      break;
  }
}

absl::Status CheckInputs(const ProgramImpl& program, std::span<const Column* const> inputs,
                         std::size_t rows) {
  if (inputs.size() != program.inputs.size()) {
    return InvalidArgumentError("the program reads ", program.inputs.size(), " inputs, ",
                                inputs.size(), " were given");
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Field& field = program.inputs[i];
    if (inputs[i] == nullptr) return InvalidArgumentError("input \"", field.name, "\" is missing");
    if (inputs[i]->type() != field.type) {
      return InvalidArgumentError("input \"", field.name, "\" is ", inputs[i]->type().ToString(),
                                  ", expected ", field.type.ToString());
    }
    if (inputs[i]->size() < rows) {
      return InvalidArgumentError("input \"", field.name, "\" has ", inputs[i]->size(),
                                  " rows, expected ", rows);
    }
  }
  return absl::OkStatus();
}

Column CopyRows(const Column& from, std::size_t rows) {
  if (from.size() == rows) return from;
  Column out(from.type());
  for (std::size_t i = 0; i < rows; ++i) out.AppendFrom(from, i);
  return out;
}

// What the texts of a chunk may take together before it is cut. A single row that takes more is refused.
constexpr std::size_t kArenaBytes = std::size_t{128} << 20U;

}  // namespace
}  // namespace transform

namespace {

absl::Status TextsTooLarge(const Program& program) {
  std::vector<std::string> names;
  for (const Field& output : program.outputs()) names.push_back(output.name);
  return ResourceExhaustedError("the texts that ", Join(names, ", "), " ",
                                names.size() == 1 ? "makes" : "make", " of one row take more than ",
                                transform::kArenaBytes >> 20U, " MiB together");
}

// Rows whose texts are too large for even the shortest chunk, each a batch of its own.
absl::Status AppendOneByOne(const Program& program, std::span<const Column* const> inputs,
                            std::size_t begin, std::size_t n, std::span<const Timestamp> as_of,
                            std::vector<Column>* outputs, EvalCounts* counts) {
  for (std::size_t row = begin; row < begin + n; ++row) {
    std::vector<Column> columns;
    std::vector<const Column*> one;
    for (const Column* input : inputs) {
      columns.emplace_back(input->type());
      columns.back().AppendFrom(*input, row);
    }
    for (const Column& column : columns) one.push_back(&column);
    const absl::StatusOr<std::vector<Column>> made =
        program.EvaluateBatch(one, 1, as_of.size() > 1 ? as_of.subspan(row, 1) : as_of, counts);
    if (!made.ok()) return Annotate(made.status(), Concat("row ", row));
    for (std::size_t i = 0; i < outputs->size(); ++i) {
      Column& output = (*outputs)[i];
      if (output.size() == row) output.AppendFrom((*made)[i], 0);  // others are whole inputs
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Column>> Program::EvaluateBatch(std::span<const Column* const> inputs,
                                                           std::size_t rows,
                                                           std::span<const Timestamp> as_of,
                                                           EvalCounts* counts) const {
  const transform::ProgramImpl& program = *impl_;
  LARDER_RETURN_IF_ERROR(CheckFloatEnvironment());
  LARDER_RETURN_IF_ERROR(transform::CheckInputs(program, inputs, rows));
  if (uses_clock() && as_of.size() != 1 && as_of.size() != rows) {
    return InvalidArgumentError("as_of has ", as_of.size(), " entries, expected 1 or ", rows);
  }
  std::vector<Column> outputs;
  for (std::size_t i = 0; i < program.outputs.size(); ++i) {
    const transform::OutputPlan& plan = program.output_plans[i];
    if (plan.direct_input >= 0) {
      outputs.push_back(
          transform::CopyRows(*inputs[static_cast<std::size_t>(plan.direct_input)], rows));
      continue;
    }
    outputs.emplace_back(program.outputs[i].type);
    outputs.back().Reserve(rows);
  }

  transform::Scratch scratch(program, transform::kChunkRows);
  scratch.arena.SetBudget(transform::kArenaBytes);
  std::vector<bool> has_nulls;
  for (const Column* input : inputs) has_nulls.push_back(input->CountNulls() != 0);
  if (uses_clock()) {
    transform::Register& clock = scratch.registers[program.as_of_register];
    clock.valid = nullptr;
    if (as_of.size() == 1)
      std::fill_n(static_cast<int64_t*>(clock.data), transform::kChunkRows, as_of[0].us);
  }
  // Chunks are shorter while texts are large. Each begins at a word of validity bits.
  std::size_t chunk_rows = transform::kChunkRows;
  std::size_t n = 0;
  for (std::size_t begin = 0; begin < rows; begin += n) {
    n = std::min(chunk_rows, rows - begin);
    scratch.arena.Reset();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const uint32_t index = program.input_plans[i].register_index;
      transform::LoadRows(*inputs[i], has_nulls[i], begin, n, scratch.own[index],
                          &scratch.registers[index]);
    }
    if (uses_clock() && as_of.size() != 1) {
      auto* clock = static_cast<int64_t*>(scratch.registers[program.as_of_register].data);
      for (std::size_t i = 0; i < n; ++i) clock[i] = as_of[begin + i].us;
    }
    const EvalCounts counts_before = scratch.counts;
    if (!scratch.Run(program, n)) {
      scratch.counts = counts_before;
      if (n > 64) {
        chunk_rows = (n + 127) / 128 * 64;
        n = 0;
      } else {
        if (n == 1) return TextsTooLarge(*this);
        LARDER_RETURN_IF_ERROR(
            AppendOneByOne(*this, inputs, begin, n, as_of, &outputs, &scratch.counts));
      }
      continue;
    }
    chunk_rows = std::min(2 * chunk_rows, transform::kChunkRows);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const transform::OutputPlan& plan = program.output_plans[i];
      if (plan.direct_input >= 0) continue;
      transform::StoreRows(scratch.registers[plan.register_index], plan.constant, begin, n,
                           &outputs[i]);
    }
  }
  if (counts != nullptr) *counts += scratch.counts;
  return outputs;
}

absl::StatusOr<std::vector<Column>> Program::EvaluateBatch(const Batch& batch,
                                                           std::span<const Timestamp> as_of,
                                                           EvalCounts* counts) const {
  std::vector<const Column*> columns;
  for (const Field& field : impl_->inputs) {
    columns.push_back(batch.Find(field.name));
    if (columns.back() == nullptr) {
      return NotFoundError("missing column \"", field.name, "\"",
                           DidYouMean(field.name, batch.names()));
    }
  }
  return EvaluateBatch(columns, batch.row_count(), as_of, counts);
}

}  // namespace larder::inline LARDER_ABI
