// The larder command, with this team's functions. The same registry goes into StoreOptions::functions of a service.
#include <cstdio>
#include <string>

#include "examples/custom_transform/fraud_functions.h"
#include "larder/cli/main.h"

int main(int argc, char** argv) {
  larder::FunctionRegistry functions;
  if (const absl::Status status = fraud::RegisterFunctions(&functions); !status.ok()) {
    std::fprintf(stderr, "fraud_larder: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  return larder::cli::Main(argc, argv, &functions);
}
