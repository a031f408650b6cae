#include "larder/transform/program.h"

#include <utility>

#include "larder/base/text.h"
#include "transform/analyzer.h"
#include "transform/codegen.h"
#include "transform/parser.h"
#include "transform/program_impl.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<Program> Program::Compile(std::span<const NamedExpression> expressions,
                                         std::span<const Field> inputs,
                                         const CompileOptions& options) {
  transform::IrGraph graph(options.limits.program_nodes);
  transform::Analyzer analyzer(&graph, inputs, options);
  std::vector<transform::IrId> roots;
  std::vector<std::string> names;
  for (const NamedExpression& expression : expressions) {
    const auto fail = [&](const absl::Status& status) {
      return expression.name.empty() ? status
                                     : Annotate(status, Concat("feature ", expression.name));
    };
    const absl::StatusOr<transform::Ast> ast =
        transform::Parse(expression.text, inputs, options.limits);
    if (!ast.ok()) return fail(ast.status());
    if (!ast->defined_name.empty() && !expression.name.empty() &&
        ast->defined_name != expression.name) {
      // A name of the author's own is fine; one that is nearly this or an input is a typing error.
      std::vector<std::string> known = {expression.name};
      for (const Field& input : inputs) known.push_back(input.name);
      if (const std::string suggestion = DidYouMean(ast->defined_name, known); !suggestion.empty()) {
        return fail(InvalidArgumentError(
            "the text defines \"", ast->defined_name, "\" (\"", ast->defined_name,
            " = ...\"), which is neither this feature nor an input", suggestion));
      }
    }
    const absl::StatusOr<transform::IrId> root = analyzer.Lower(*ast);
    if (!root.ok()) return fail(root.status());
    roots.push_back(*root);
    if (!expression.name.empty()) {
      names.push_back(expression.name);
    } else {
      names.push_back(ast->defined_name.empty() ? Concat("expression_", roots.size())
                                                : ast->defined_name);
    }
  }
  std::shared_ptr<transform::ProgramImpl> impl = transform::Generate(graph, roots, names, inputs);
  impl->functions = analyzer.functions();
  return Program(std::move(impl));
}

Program::Program(std::shared_ptr<const transform::ProgramImpl> impl) : impl_(std::move(impl)) {}
std::span<const Field> Program::inputs() const { return impl_->inputs; }
std::span<const Field> Program::outputs() const { return impl_->outputs; }
bool Program::uses_clock() const { return impl_->as_of_register != transform::kNoRegister; }
std::size_t Program::instruction_count() const { return impl_->instructions.size(); }
std::span<const std::string> Program::functions() const { return impl_->functions; }

std::string Program::Disassemble() const {
  std::string out;
  for (std::size_t i = 0; i < impl_->inputs.size(); ++i) {
    out +=
        Concat("r", impl_->input_plans[i].register_index, " = input ", impl_->inputs[i].name, "\n");
  }
  for (std::size_t i = 0; i < impl_->instructions.size(); ++i) {
    const transform::Instruction& instruction = impl_->instructions[i];
    out += Concat("r", instruction.out, " = ", impl_->instruction_names[i]);
    for (std::size_t k = 0; k < instruction.argument_count; ++k) {
      out += Concat(instruction.IsConstant(k) ? " c" : " r", instruction.arguments[k]);
    }
    if (instruction.guard != transform::kNoRegister) out += Concat(" when r", instruction.guard);
    out += "\n";
  }
  for (std::size_t i = 0; i < impl_->outputs.size(); ++i) {
    out += Concat(impl_->outputs[i].name, " = r", impl_->output_plans[i].register_index, "\n");
  }
  return out;
}

}  // namespace larder::inline LARDER_ABI
