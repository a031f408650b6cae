#include "larder/cli/main.h"

int main(int argc, char** argv) { return larder::cli::Main(argc, argv); }
