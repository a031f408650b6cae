#include "transform_bars.h"

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "larder/base/text.h"
#include "larder/transform/program.h"

#ifdef LARDER_HAVE_MUPARSER
#include <muParser.h>
#endif

namespace larder_bench {
namespace {

using larder::Column;
using larder::Datum;
using larder::Field;
using larder::NamedExpression;
using larder::Program;
using larder::TestBit;
using larder::TypeId;

constexpr std::size_t kRows = 1'000'000;
constexpr char kT1[] = "case when a > 50 then ln(a + 1) * b else sqrt(b) + c end";
constexpr char kT2[] = "(a - b) / nullif(c, 0) > 0.5 and d in (1, 2, 3)";
constexpr char kT4[] = "lower(trim(s)) = 'late'";

// 5 % nulls in every column; a and b in 0..100, c half the time 0, d in 0..5, s one of a few words in odd dress.
struct Data {
  Column a{TypeId::kFloat64};
  Column b{TypeId::kFloat64};
  Column c{TypeId::kFloat64};
  Column d{TypeId::kFloat64};
  Column s{TypeId::kString};
};

Data MakeData() {
  std::mt19937_64 random(42);
  const auto below = [&](uint64_t n) { return random() % n; };
  const auto uniform = [&] { return static_cast<double>(below(1'000'000)) / 1e4; };
  const auto put = [&](Column* column, double value) {
    if (below(20) == 0) {
      column->AppendNull();
    } else {
      column->AppendFixed(value);
    }
  };
  static constexpr std::string_view kWords[] = {"late",         " Late", "LATE  ", "on time",
                                                "  cancelled ", "Early", "",       "later"};
  Data data;
  for (std::size_t i = 0; i < kRows; ++i) {
    put(&data.a, uniform());
    put(&data.b, uniform());
    put(&data.c, below(2) == 0 ? 0.0 : uniform());
    put(&data.d, static_cast<double>(below(6)));
    if (below(20) == 0) {
      data.s.AppendNull();
    } else {
      data.s.AppendText(kWords[below(8)]);
    }
  }
  return data;
}

std::vector<Field> Fields() {
  std::vector<Field> fields;
  for (const auto& [name, type] : {std::pair{"a", TypeId::kFloat64},
                                   {"b", TypeId::kFloat64},
                                   {"c", TypeId::kFloat64},
                                   {"d", TypeId::kFloat64},
                                   {"s", TypeId::kString}}) {
    Field field;
    field.name = name;
    field.type = type;
    fields.push_back(field);
  }
  return fields;
}

struct Bound {
  Program program;
  std::vector<const Column*> inputs;
};

absl::StatusOr<Bound> Bind(const char* text, const Data& data) {
  const std::vector<Field> fields = Fields();
  const NamedExpression expression = {"x", text};
  LARDER_ASSIGN_OR_RETURN(Program program, Program::Compile({&expression, 1}, fields));
  const std::vector<const Column*> all = {&data.a, &data.b, &data.c, &data.d, &data.s};
  Bound bound{std::move(program), {}};
  for (const Field& input : bound.program.inputs()) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name == input.name) bound.inputs.push_back(all[i]);
    }
  }
  return bound;
}

void RunBatch(const Bound& bound, benchmark::State& state) {
  for (auto _ : state) {
    auto out = bound.program.EvaluateBatch(bound.inputs, kRows, {});
    benchmark::DoNotOptimize(out);
  }
}

// --- the yardsticks: what a programmer would write, nulls handled ------------------------------------------------------
struct Answer {
  std::vector<double> values;
  std::vector<uint8_t> flags;
  std::vector<uint64_t> valid;
};

__attribute__((noinline)) bool RowT1(bool has_a, double a, bool has_b, double b, bool has_c,
                                     double c, double* out) {
  if (has_a && a > 50) {
    if (!has_b) return false;
    *out = std::log(a + 1) * b;
    return true;
  }
  if (!has_b || !has_c || b < 0) return false;
  *out = std::sqrt(b) + c;
  return true;
}

__attribute__((noinline)) Answer LoopT1(const Data& data) {
  Answer answer;
  answer.values.resize(kRows);
  answer.valid.resize(larder::BitWords(kRows));
  const double* a = data.a.Values<double>().data();
  const double* b = data.b.Values<double>().data();
  const double* c = data.c.Values<double>().data();
  const uint64_t* va = data.a.validity().words();
  const uint64_t* vb = data.b.validity().words();
  const uint64_t* vc = data.c.validity().words();
  for (std::size_t i = 0; i < kRows; ++i) {
    if (TestBit(va, i) && a[i] > 50) {
      if (!TestBit(vb, i)) continue;
      answer.values[i] = std::log(a[i] + 1) * b[i];
    } else {
      if (!TestBit(vb, i) || !TestBit(vc, i) || b[i] < 0) continue;
      answer.values[i] = std::sqrt(b[i]) + c[i];
    }
    answer.valid[i / 64] |= uint64_t{1} << (i % 64);
  }
  return answer;
}

__attribute__((noinline)) Answer LoopT2(const Data& data) {
  Answer answer;
  answer.flags.resize(kRows);
  answer.valid.resize(larder::BitWords(kRows));
  const double* a = data.a.Values<double>().data();
  const double* b = data.b.Values<double>().data();
  const double* c = data.c.Values<double>().data();
  const double* d = data.d.Values<double>().data();
  const uint64_t* va = data.a.validity().words();
  const uint64_t* vb = data.b.validity().words();
  const uint64_t* vc = data.c.validity().words();
  const uint64_t* vd = data.d.validity().words();
  for (std::size_t i = 0; i < kRows; ++i) {
    const bool has_left = TestBit(va, i) && TestBit(vb, i) && TestBit(vc, i) && c[i] != 0;
    const bool left = has_left && (a[i] - b[i]) / c[i] > 0.5;
    const bool has_right = TestBit(vd, i);
    const bool right = has_right && (d[i] == 1 || d[i] == 2 || d[i] == 3);
    const bool valid = (has_left && has_right) || (has_left && !left) || (has_right && !right);
    answer.flags[i] = left && right;
    if (valid) answer.valid[i / 64] |= uint64_t{1} << (i % 64);
  }
  return answer;
}

bool IsLate(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.size() != 4) return false;
  constexpr std::string_view kLate = "late";
  for (std::size_t j = 0; j < 4; ++j) {
    const char c = text[j];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != kLate[j]) return false;
  }
  return true;
}

__attribute__((noinline)) Answer LoopT4(const Data& data) {
  Answer answer;
  answer.flags.resize(kRows);
  answer.valid.resize(larder::BitWords(kRows));
  for (std::size_t i = 0; i < kRows; ++i) {
    if (!data.s.IsValid(i)) continue;
    answer.flags[i] = IsLate(data.s.Text(i));
    answer.valid[i / 64] |= uint64_t{1} << (i % 64);
  }
  return answer;
}

void RunLoop(Answer (*loop)(const Data&), const Data& data, benchmark::State& state) {
  for (auto _ : state) {
    Answer answer = loop(data);
    benchmark::DoNotOptimize(answer);
  }
}

// Same rows valid, same flags, and values within a few units of the last place (libm is not SLEEF).
absl::Status Compare(const Bound& bound, const Answer& answer) {
  LARDER_ASSIGN_OR_RETURN(const std::vector<Column> out,
                          bound.program.EvaluateBatch(bound.inputs, kRows, {}));
  for (std::size_t i = 0; i < kRows; ++i) {
    if (out[0].IsValid(i) != TestBit(answer.valid.data(), i))
      return larder::InternalError("row ", i, ": validity differs");
    if (!out[0].IsValid(i)) continue;
    if (!answer.flags.empty()) {
      if (out[0].Values<uint8_t>()[i] != answer.flags[i])
        return larder::InternalError("row ", i, ": the answers differ");
      continue;
    }
    const double x = out[0].Values<double>()[i];
    if (std::fabs(x - answer.values[i]) > 1e-14 * std::fabs(x))
      return larder::InternalError("row ", i, ": ", x, " and ", answer.values[i]);
  }
  return absl::OkStatus();
}

absl::Status RunBatchBar(BarRun& run, std::string_view id, const char* text,
                         Answer (*loop)(const Data&), const Data& data) {
  if (!run.Wants(id)) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(const Bound bound, Bind(text, data));
  return run.Measure(
      id, [&](benchmark::State& state) { RunBatch(bound, state); },
      [&](benchmark::State& state) { RunLoop(loop, data, state); },
      [&] { return Compare(bound, loop(data)); }, "1 M rows, 5 % nulls");
}

Datum DatumAt(const Column& column, std::size_t i) {
  return column.IsValid(i) ? Datum::Float64(column.Values<double>()[i]) : Datum::Null();
}

// Both sides walk the same first rows, one call each.
absl::Status RunRowBar(BarRun& run, const Data& data) {
  if (!run.Wants("T3")) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(const Bound bound, Bind(kT1, data));
  constexpr std::size_t kCycle = 4096;
  std::vector<Datum> rows;
  for (std::size_t i = 0; i < kCycle; ++i) {
    for (const Column* input : bound.inputs) rows.push_back(DatumAt(*input, i));
  }
  larder::RowEvaluator evaluator(bound.program);
  const auto candidate = [&](benchmark::State& state) {
    std::size_t i = 0;
    Datum out;
    for (auto _ : state) {
      evaluator.Evaluate({rows.data() + 3 * i, 3}, {}, {&out, 1});
      benchmark::DoNotOptimize(out);
      i = (i + 1) % kCycle;
    }
  };
  const auto yardstick = [&](benchmark::State& state) {
    std::size_t i = 0;
    for (auto _ : state) {
      const Datum* row = rows.data() + 3 * i;
      double out = 0;
      bool valid =
          RowT1(row[0].valid, row[0].f64, row[1].valid, row[1].f64, row[2].valid, row[2].f64, &out);
      benchmark::DoNotOptimize(valid);
      benchmark::DoNotOptimize(out);
      i = (i + 1) % kCycle;
    }
  };
  return run.Measure(
      "T3", candidate, yardstick, [&] { return Compare(bound, LoopT1(data)); }, "rows of T1, bound");
}

absl::Status RunPeerBar(BarRun& run, const Data& data) {
  if (!run.Wants("T5")) return absl::OkStatus();
#ifdef LARDER_HAVE_MUPARSER
  LARDER_ASSIGN_OR_RETURN(const Bound bound, Bind(kT1, data));
  // muParser knows no null: it computes every row, which costs it nothing extra.
  std::vector<double> a(data.a.Values<double>().begin(), data.a.Values<double>().end());
  std::vector<double> b(data.b.Values<double>().begin(), data.b.Values<double>().end());
  std::vector<double> c(data.c.Values<double>().begin(), data.c.Values<double>().end());
  mu::Parser parser;
  parser.DefineVar("a", a.data());
  parser.DefineVar("b", b.data());
  parser.DefineVar("c", c.data());
  parser.SetExpr("a > 50 ? ln(a + 1) * b : sqrt(b) + c");
  std::vector<double> out(kRows);
  return run.Measure(
      "T5", [&](benchmark::State& state) { RunBatch(bound, state); },
      [&](benchmark::State& state) {
        for (auto _ : state) parser.Eval(out.data(), static_cast<int>(kRows));
      },
      [&] { return Compare(bound, LoopT1(data)); }, "muParser, bulk mode");
#else
  static_cast<void>(data);
  run.RecordNotRun("T5", "muParser is not installed");
  return absl::OkStatus();
#endif
}

}  // namespace

absl::Status RunTransformBars(BarRun& run) {
  bool wanted = false;
  for (const char* id : {"T1", "T2", "T3", "T4", "T5"}) wanted = wanted || run.Wants(id);
  if (!wanted) return absl::OkStatus();
  const Data data = MakeData();
  LARDER_RETURN_IF_ERROR(RunBatchBar(run, "T1", kT1, LoopT1, data));
  LARDER_RETURN_IF_ERROR(RunBatchBar(run, "T2", kT2, LoopT2, data));
  LARDER_RETURN_IF_ERROR(RunRowBar(run, data));
  LARDER_RETURN_IF_ERROR(RunBatchBar(run, "T4", kT4, LoopT4, data));
  return RunPeerBar(run, data);
}

}  // namespace larder_bench
