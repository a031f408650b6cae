// Random expressions and random rows, with an evaluator of its own: a slow walk over a tree of optional values that
// shares nothing with the engine but SLEEF's scalar functions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "larder/column/batch.h"
#include "larder/schema/definitions.h"

namespace larder_test {

enum class Kind { kBool, kInt, kFloat, kText, kDate };

// Null is an empty optional.
using Scalar = std::variant<bool, int64_t, double, std::string>;
using Maybe = std::optional<Scalar>;  // kDate: int64_t days

struct Tree {
  Kind kind = Kind::kInt;
  std::string op;  // "input", "constant" or an operation
  Maybe constant;
  std::size_t input = 0;
  std::vector<std::unique_ptr<Tree>> children;
};

class RandomPrograms {
 public:
  explicit RandomPrograms(uint64_t seed)
      : RandomPrograms([engine = std::mt19937_64(seed)]() mutable { return engine(); }) {}
  // Draws from `next`, which must not give one number for ever.
  explicit RandomPrograms(std::function<uint64_t()> next) : next_(std::move(next)) {}

  // Columns: two of each kind; nulls, NaN with payloads, both zeros, infinities, extreme integers, odd texts.
  static const std::vector<larder::Field>& Fields();
  std::vector<Maybe> MakeRow();
  std::unique_ptr<Tree> MakeTree(Kind kind, int depth);
  Kind AnyKind() { return static_cast<Kind>(Below(5)); }
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(next_() % n); }

 private:
  Maybe RandomValue(Kind kind);
  std::function<uint64_t()> next_;
};

std::string Print(const Tree& tree);
Maybe Walk(const Tree& tree, const std::vector<Maybe>& row);
larder::Value ToValue(const Maybe& value, Kind kind);

// LARDER_SEED, or `fallback`.
uint64_t SeedFromEnvironment(uint64_t fallback);

}  // namespace larder_test
