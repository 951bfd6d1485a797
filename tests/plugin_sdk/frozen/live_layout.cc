// The header of today keeps the layout of ABI 1.0, in C++20.
#include "tidemark/plugin_abi.h"
//
#include "tests/plugin_sdk/frozen/abi_layout.h"
