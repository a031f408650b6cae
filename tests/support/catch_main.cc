// Only built where Catch2 brings no ready-made main().
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
