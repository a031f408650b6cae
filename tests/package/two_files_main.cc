// Built with two_files_other.cc: a function that a header defines without `inline` fails to link here.
#include "all_headers.h"

const char* OtherFile();

int main() { return OtherFile() == nullptr; }
