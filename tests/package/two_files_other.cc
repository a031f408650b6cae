#include "all_headers.h"

const char* OtherFile();
const char* OtherFile() { return "other"; }
