// An expression taken apart: what each part of it gives. For tools that show how a value came about.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/definitions.h"
#include "larder/transform/expression.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {

// A part that computes something: columns and literals are none, unless they are all there is.
struct ExpressionStep {
  std::string text;                 // as written, on one line
  std::vector<std::string> fields;  // inputs that it reads itself, in the order written
  std::vector<std::size_t> steps;   // earlier steps that it reads
};

// Immutable. Copies share the program. Threads: thread-compatible.
class ExpressionSteps {
 public:
  // Errors: as Program::Compile.
  static absl::StatusOr<ExpressionSteps> Make(const NamedExpression& expression,
                                              std::span<const Field> inputs,
                                              const CompileOptions& options = {});

  // What is read before what reads it; the last is the whole expression.
  [[nodiscard]] const std::vector<ExpressionStep>& steps() const LARDER_LIFETIME_BOUND {
    return steps_;
  }
  // One output for each step. Each is a node of the graph that the expression alone is compiled from, so the last gives
  // the same bits as the expression does. Branches not taken are evaluated too.
  [[nodiscard]] const Program& program() const LARDER_LIFETIME_BOUND { return program_; }

 private:
  ExpressionSteps(Program program, std::vector<ExpressionStep> steps)
      : program_(std::move(program)), steps_(std::move(steps)) {}
  Program program_;
  std::vector<ExpressionStep> steps_;
};

}  // namespace larder::inline LARDER_ABI
